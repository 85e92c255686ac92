import { Injectable } from '@nestjs/common';

const checkLimitMs = 2_000;

/** What `/readyz` answers. `checks` says of each name whether it passed. */
export type ReadinessReport = { ready: boolean; checks: Record<string, boolean> };

/** Whether this process can do its work now. Whoever owns a connection adds a check for it. */
@Injectable()
export class Readiness {
  readonly #checks = new Map<string, () => Promise<void>>();
  #state: 'starting' | 'serving' | 'draining' = 'starting';

  /** Adds or replaces a check: it resolves when all is well, and rejects or takes more than 2 s when not. */
  add(name: string, check: () => Promise<void>): void {
    this.#checks.set(name, check);
  }

  /** The service is up: from now on the checks decide. */
  serve(): void {
    this.#state = 'serving';
  }

  /** Not ready from now on, whatever the checks say. */
  drain(): void {
    this.#state = 'draining';
  }

  async report(): Promise<ReadinessReport> {
    const results = await Promise.all(
      [...this.#checks].map(async ([name, check]) => [name, await passes(check)] as const),
    );
    const checks = { [this.#state]: this.#state === 'serving', ...Object.fromEntries(results) };
    return { ready: Object.values(checks).every(Boolean), checks };
  }
}

async function passes(check: () => Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), checkLimitMs);
  });
  const passed = Promise.resolve()
    .then(check)
    .then(
      () => true,
      () => false,
    );
  return Promise.race([passed, limit]).finally(() => clearTimeout(timer));
}
