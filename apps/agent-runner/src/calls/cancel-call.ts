import { queues } from '@switchyard/contracts';
import { findLedgerCalls, type Sql } from '@switchyard/database';
import type { QueueClient } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';

const cancelTimeoutMs = 5_000;

type Means = { readonly sql: Sql; readonly queue: QueueClient; readonly log: Log };

/**
 * Asks dispatch to cancel the call, if it was ever made. What it cannot undo goes on to its own end. False where dispatch
 * did not answer.
 */
export async function cancelCall(
  { sql, queue, log }: Means,
  orgId: string,
  callId: string,
): Promise<boolean> {
  try {
    const [known] = await findLedgerCalls(sql, [callId]);
    if (!known || known.ended_at) return true;
    const wish = { v: 1, callId, orgId } as const;
    await queue.request(queues.toolCallCancellations, wish, { timeoutMs: cancelTimeoutMs });
    return true;
  } catch (err) {
    log.warn({ err, callId }, 'a call of a cancelled run could not be cancelled');
    return false;
  }
}

/** Takes back what waits for a person's approval in a run. False where dispatch did not answer for one of them. */
export async function cancelWaitingCalls(means: Means, orgId: string, runId: string): Promise<boolean> {
  const waiting = await means.sql.query<{ callId: string }>(
    `SELECT call_id AS "callId" FROM runs.run_calls WHERE run_id = $1 AND state = 'waiting_approval'`,
    [runId],
  );
  const taken = await Promise.all(waiting.map(({ callId }) => cancelCall(means, orgId, callId)));
  return taken.every(Boolean);
}
