import { PlatformError, type ToolCallOutcome } from '@switchyard/contracts';
import { findLedgerCalls, type LedgerCall, ledgerOutcome, type Sql } from '@switchyard/database';

type LeftCall = { readonly callId: string; readonly state: string };

/**
 * Ends the calls that a run leaves open, so that nobody waits for them or decides about them any more: as the ledger has it
 * where they have ended by now, else as cancelled. What a worker is doing goes on; the ledger tells what became of it.
 */
export async function endLeftCalls(sql: Sql, runId: string): Promise<void> {
  const left = await sql.query<LeftCall>(
    `SELECT call_id AS "callId", state FROM runs.run_calls WHERE run_id = $1 AND state <> 'ended'`,
    [runId],
  );
  if (left.length === 0) return;
  const ledger = await findLedgerCalls(
    sql,
    left.map(({ callId }) => callId),
  );
  const rows = new Map(ledger.map((row) => [row.call_id, row]));
  for (const call of left)
    await sql.query(
      `UPDATE runs.run_calls SET state = 'ended', outcome = $3::json, ended_at = now() WHERE run_id = $1 AND call_id = $2`,
      [runId, call.callId, JSON.stringify(endOf(call, rows.get(call.callId)))],
    );
}

/** The refusal for which a user was to connect is not the end of the call: it would have been made again. */
function endOf({ callId, state }: LeftCall, row: LedgerCall | undefined): ToolCallOutcome {
  const outcome = state === 'waiting_reauth' || !row ? undefined : ledgerOutcome(row);
  if (outcome) return outcome;
  const message =
    row?.status === 'running' ? 'The run ended while the tool ran: it may have run.' : undefined;
  const error = new PlatformError('cancelled', { message }).toInfo();
  return { callId, authPath: null, status: 'cancelled', error };
}
