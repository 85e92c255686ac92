import { PlatformError } from '@switchyard/contracts';
import type { BreakersRepository, BreakerRow } from './breakers.repository.js';

export type BreakerSettings = { failureThreshold: number; openMs: number; trialCalls: number };

/**
 * The circuit breaker of each integration (requirements D32): `failureThreshold` failures in a row open it for
 * `openMs`, then at most `trialCalls` calls try; the first that works closes it, one that fails opens it again.
 *
 * The state is a row, so that the fleet counts together; workers keep a copy that bus messages refresh. A healthy
 * integration has no row and costs no query.
 */
export class BreakersService {
  private readonly known = new Map<string, BreakerRow>();

  constructor(
    private readonly repository: BreakersRepository,
    private readonly settings: BreakerSettings,
    private readonly announce: (integrationId: string) => Promise<void>,
    private readonly now: () => number = Date.now,
  ) {}

  async load(): Promise<void> {
    this.known.clear();
    for (const row of await this.repository.all()) this.known.set(row.integration_id, row);
  }

  async refresh(integrationId: string): Promise<void> {
    const row = await this.repository.find(integrationId);
    if (row) this.known.set(integrationId, row);
    else this.known.delete(integrationId);
  }

  /** Resolves when the call may go on. Rejects with `circuit_open`, nothing having been sent. */
  async admit(integrationId: string): Promise<void> {
    const row = this.known.get(integrationId);
    if (!row || row.state === 'closed') return;
    const waitMs = (row.retry_at?.getTime() ?? 0) - this.now();
    if (row.state === 'open' && waitMs > 0) throw circuitOpen(waitMs);
    const trial = await this.repository.beginTrial(integrationId, this.settings);
    if (!trial) throw circuitOpen(1_000);
    this.known.set(integrationId, trial);
  }

  async succeeded(integrationId: string): Promise<void> {
    if (!this.known.has(integrationId)) return;
    await this.close(integrationId);
  }

  async failed(integrationId: string): Promise<void> {
    const row = await this.repository.countFailure(integrationId, this.settings);
    const before = this.known.get(integrationId)?.state ?? 'closed';
    this.known.set(integrationId, row);
    // Every failure is announced: each worker must know of the row, or its next success would not reset the count.
    if (before !== row.state || row.failures === 1) await this.announce(integrationId);
  }

  /** The admin's reset. */
  async reset(integrationId: string): Promise<void> {
    await this.close(integrationId);
  }

  private async close(integrationId: string): Promise<void> {
    this.known.delete(integrationId);
    if (await this.repository.remove(integrationId)) await this.announce(integrationId);
  }
}

function circuitOpen(waitMs: number): PlatformError {
  return new PlatformError('circuit_open', { retryAfterMs: Math.ceil(waitMs) });
}
