import type { EgressPolicy } from '../egress/egress-policy.js';
import type { AskCapabilities } from '../sessions/questions.js';
import { UpstreamError } from '../failures/upstream-error.js';
import { UpstreamSession } from '../sessions/upstream-session.js';
import type { UpstreamTarget } from '../sessions/upstream-target.js';
import { EraVerdicts } from './era-verdicts.js';
import { fingerprintOf, PooledSession } from './pooled-session.js';
import { connectedOrAborted } from './connected-or-aborted.js';
import { isWorthANewSession } from './is-worth-a-new-session.js';

export type PoolOptions = {
  egress: EgressPolicy;
  /** A session that nobody used for so long is closed. */
  idleMs?: number;
  connectTimeoutMs?: number;
  /** How long a verdict on a server's era is believed. */
  eraTtlMs?: number;
  maxBodyBytes?: number;
};

export type UseOptions = {
  /** Whether `fn` may run again though the upstream may have acted on it: tools that are safe to repeat. */
  safe?: boolean;
  connectTimeoutMs?: number;
  signal?: AbortSignal;
  /** Declared to a server of before 2026-07-28 when the session is opened; part of what the key must tell apart. */
  capabilities?: AskCapabilities;
  /** The key under which the server's era is remembered, where that of the session is narrower. */
  eraKey?: string;
};

/**
 * Upstream sessions by key (integration and principal), each shared by everybody who calls under it. A server that was
 * restarted or forgot its session costs one more try on a new session, within the same call.
 */
export class UpstreamPool {
  private readonly sessions = new Map<string, PooledSession>();
  /** Keys of sessions that belong to one call alone now. */
  private readonly taken = new Set<string>();
  /** Out of the pool, but with users that may finish. */
  private readonly leaving = new Set<PooledSession>();
  private readonly eras: EraVerdicts;
  private readonly idleMs: number;
  private readonly sweeper: NodeJS.Timeout;
  private closed = false;

  constructor(private readonly options: PoolOptions) {
    this.idleMs = options.idleMs ?? 300_000;
    this.eras = new EraVerdicts(options.eraTtlMs ?? 600_000);
    this.sweeper = setInterval(() => this.sweep(), Math.min(Math.max(this.idleMs / 4, 50), 30_000));
    this.sweeper.unref();
  }

  /**
   * Runs `fn` on the key's session. When the session turns out to be lost, opens a new one and runs `fn` once more:
   * only if its request was not sent, or if the caller says that it is safe to repeat.
   */
  async withSession<T>(
    key: string,
    target: UpstreamTarget,
    fn: (session: UpstreamSession) => Promise<T>,
    options: UseOptions = {},
  ): Promise<T> {
    const isReused = this.sessions.has(key);
    const entry = this.entryFor(key, target, options);
    try {
      return await this.use(entry, target, fn, options.signal);
    } catch (error) {
      if (options.signal?.aborted || !(await isTheSessions(error, entry, isReused, options.safe)))
        throw error;
      this.remove(entry);
      // Whatever comes back may be another version of the server.
      this.eras.forget(eraKey(options.eraKey ?? key, target));
      return this.use(this.entryFor(key, target, options), target, fn, options.signal);
    }
  }

  /**
   * Runs `fn` on a session that nobody else uses meanwhile: an idle one of the key, or a new one. It is kept only where
   * `fn` resolves; otherwise the server may still be busy with what it was asked.
   */
  async withOwnSession<T>(
    key: string,
    target: UpstreamTarget,
    fn: (session: UpstreamSession) => Promise<T>,
    options: UseOptions = {},
  ): Promise<T> {
    const own = this.takeKey(key);
    try {
      return await this.withSession(own, target, fn, options);
    } catch (error) {
      const entry = this.sessions.get(own);
      if (entry) this.remove(entry);
      throw error;
    } finally {
      this.taken.delete(own);
    }
  }

  /** Whether the server is known to speak 2026-07-28. */
  isModern(key: string, target: UpstreamTarget): boolean {
    return this.eras.get(eraKey(key, target), Date.now())?.kind === 'modern';
  }

  /** Retires the sessions whose keys begin so: the integration changed. Calls that run on them may finish. */
  drop(keyPrefix: string): void {
    for (const [key, entry] of this.sessions) if (key.startsWith(keyPrefix)) this.remove(entry);
    this.eras.forget(keyPrefix);
  }

  size(): number {
    return this.sessions.size;
  }

  /** Ends every session at once. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.sweeper);
    const entries = [...this.sessions.values(), ...this.leaving];
    this.sessions.clear();
    await Promise.all(entries.map((entry) => entry.close()));
  }

  private takeKey(key: string): string {
    for (let n = 0; ; n++) {
      const own = `${key}#${n}`;
      if (this.taken.has(own)) continue;
      this.taken.add(own);
      return own;
    }
  }

  private async use<T>(
    entry: PooledSession,
    target: UpstreamTarget,
    fn: (session: UpstreamSession) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    // Who waits for the connection uses it already: it is neither idle nor closed under them.
    return entry.use(async () => {
      const session = await connectedOrAborted(entry.connecting, signal);
      session.useHeaders(target.headers);
      return fn(session);
    });
  }

  private entryFor(key: string, target: UpstreamTarget, options: UseOptions): PooledSession {
    if (this.closed) throw new Error('the pool is closed');
    const found = this.sessions.get(key);
    if (found?.fingerprint === fingerprintOf(target)) return found;
    if (found) this.remove(found);
    const entry = this.connect(key, target, options);
    this.sessions.set(key, entry);
    return entry;
  }

  private connect(key: string, target: UpstreamTarget, options: UseOptions): PooledSession {
    const verdictKey = eraKey(options.eraKey ?? key, target);
    const era = this.eras.get(verdictKey, Date.now());
    const { egress, maxBodyBytes } = this.options;
    const timeoutMs = options.connectTimeoutMs ?? this.options.connectTimeoutMs ?? 15_000;
    // The connection serves everybody who waits for it, so no single caller's signal may end it.
    const connecting = UpstreamSession.connect(target, {
      ...{ egress, maxBodyBytes, timeoutMs, era },
      capabilities: options.capabilities,
    });
    const entry = new PooledSession(key, target, connecting, { adoptedEra: era !== undefined });
    connecting.then(
      (session) => {
        this.eras.set(verdictKey, session.era, Date.now());
        session.onClose(() => this.remove(entry));
      },
      () => this.remove(entry),
    );
    return entry;
  }

  /** A session that failed is never handed out again. */
  private remove(entry: PooledSession): void {
    if (this.sessions.get(entry.key) === entry) this.sessions.delete(entry.key);
    this.leaving.add(entry);
    entry.retire(() => this.leaving.delete(entry));
  }

  private sweep(): void {
    const before = Date.now() - this.idleMs;
    for (const entry of this.sessions.values())
      if (entry.isIdle && entry.usedAt <= before) this.remove(entry);
  }
}

function eraKey(key: string, { transport }: UpstreamTarget): string {
  return `${key}\n${JSON.stringify(transport)}`;
}

async function isTheSessions(
  error: unknown,
  entry: PooledSession,
  isReused: boolean,
  safe = false,
): Promise<boolean> {
  if (!(error instanceof UpstreamError)) return false;
  const session = await entry.connecting.catch(() => undefined);
  const { adoptedEra } = entry;
  const facts = {
    isLost: session?.isLost ?? false,
    isReused: isReused && session !== undefined,
    adoptedEra,
    safe,
  };
  return isWorthANewSession(error.failure, facts);
}
