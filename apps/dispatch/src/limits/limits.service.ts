import type { ToolCall } from '@switchyard/contracts';
import type { Sql } from '@switchyard/database';

export type Limits = {
  maxConcurrency: number | null;
  rateLimit: { limit: number; intervalMs: number } | null;
};

export type Admission =
  { admitted: true; holdsSlot: boolean } | { admitted: false; delayMs: number; rateAdmitted: boolean };

/** The first wait for a slot; each round waits longer, up to the longest. */
const slotDelayMs = 100;
const longestSlotDelayMs = 1_000;
/** A slot outlives its call's deadline by this much, so that it is not given away while the call still ends. */
const slotGraceMs = 15_000;

/**
 * Limits per integration, counted over the fleet in PostgreSQL: the same store whichever queue is in use, and a slot
 * is freed by the sweeper when its worker dies. Integrations without limits cost nothing.
 */
export class LimitsService {
  constructor(
    private readonly sql: Sql,
    private readonly workerId: string,
    private readonly random: () => number = Math.random,
  ) {}

  /**
   * Asks for the right to run now. A refused call must be added to its queue again after `delayMs`; `rateAdmitted`
   * says that its turn under the rate limit is reserved and must not be asked for again.
   */
  async admit(
    call: ToolCall,
    limits: Limits,
    { round, rateAdmitted }: { round: number; rateAdmitted: boolean },
  ): Promise<Admission> {
    if (limits.rateLimit && !rateAdmitted) {
      const delayMs = await this.reserveRate(call.integrationId, limits.rateLimit);
      if (delayMs > 0) return { admitted: false, delayMs: Math.ceil(delayMs), rateAdmitted: true };
    }
    if (limits.maxConcurrency === null) return { admitted: true, holdsSlot: false };
    if (await this.acquireSlot(call, limits.maxConcurrency)) return { admitted: true, holdsSlot: true };
    const delayMs = Math.min(slotDelayMs * 1.3 ** round, longestSlotDelayMs) * (0.75 + this.random() / 2);
    return { admitted: false, delayMs: Math.ceil(delayMs), rateAdmitted: limits.rateLimit !== null };
  }

  async release(callId: string): Promise<void> {
    await this.sql.query('DELETE FROM dispatch.slots WHERE call_id = $1 AND worker_id = $2', [
      callId,
      this.workerId,
    ]);
  }

  private async reserveRate(
    integrationId: string,
    { limit, intervalMs }: { limit: number; intervalMs: number },
  ): Promise<number> {
    const [row] = await this.sql.query<{ wait_ms: number }>(
      'SELECT dispatch.reserve_rate($1, $2, $3) AS wait_ms',
      [integrationId, limit, intervalMs],
    );
    return row?.wait_ms ?? 0;
  }

  private async acquireSlot(call: ToolCall, max: number): Promise<boolean> {
    const expires = new Date(call.deadlineAt + slotGraceMs).toISOString();
    const [row] = await this.sql.query<{ acquired: boolean }>(
      'SELECT dispatch.acquire_slot($1, $2, $3, $4, $5) AS acquired',
      [call.integrationId, call.callId, this.workerId, max, expires],
    );
    return row?.acquired === true;
  }
}
