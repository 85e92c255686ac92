import type { UpstreamSession } from '../sessions/upstream-session.js';
import type { UpstreamTarget } from '../sessions/upstream-target.js';

/** A session in the pool: perhaps still connecting, shared by all who use it, closed when the last lets go of it. */
export class PooledSession {
  readonly fingerprint: string;
  /** Whether its era was taken from an earlier verdict, and so may be wrong. */
  readonly adoptedEra: boolean;
  usedAt = Date.now();
  private users = 0;
  private retired: (() => void) | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    readonly key: string,
    target: UpstreamTarget,
    readonly connecting: Promise<UpstreamSession>,
    options: { adoptedEra: boolean },
  ) {
    this.fingerprint = fingerprintOf(target);
    this.adoptedEra = options.adoptedEra;
  }

  get isIdle(): boolean {
    return this.users === 0;
  }

  /** Keeps the session open while `work` runs, its connecting included. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.users++;
    try {
      return await work();
    } finally {
      this.users--;
      this.usedAt = Date.now();
      this.closeIfDone();
    }
  }

  /** Takes no new users; those that it has may finish. Then the session is closed. */
  retire(onClosed: () => void): void {
    if (this.retired) return;
    this.retired = onClosed;
    this.closeIfDone();
  }

  private closeIfDone(): void {
    if (this.retired && this.users === 0) void this.close().then(this.retired);
  }

  /** Settles when the session is closed. */
  close(): Promise<void> {
    this.closing ??= this.connecting.then(
      (session) => session.close(),
      () => undefined,
    );
    return this.closing;
  }
}

/** What a session cannot change while it lives. Headers are not part of it: a new lease goes over the old session. */
export function fingerprintOf({ transport, stdioCommand, env }: UpstreamTarget): string {
  return JSON.stringify([transport, stdioCommand ?? null, transport.type === 'stdio' ? (env ?? {}) : null]);
}
