import type { AuthPath, CallState, ToolCallJob, ToolCallOutcome } from '@switchyard/contracts';

/** What a worker adds to a call's facts when it writes the call's row. */
export type CallProgress = {
  status: CallState;
  integrationSlug: string;
  safe: boolean;
  authPath: AuthPath | null;
  attempts: number;
  workerId: string;
  /** Of the taking that writes it. */
  holder: string;
  traceId: string | null;
  startedAt: number | null;
  endedAt: number | null;
  outcome: ToolCallOutcome | null;
  /** The JSON text of the result, written once and kept as it is; null where the integration keeps none. */
  resultText: string | null;
  resultBytes: number | null;
  /** Whether the arguments may be kept (the integration's retention). */
  keepArguments: boolean;
};

/** The columns that a worker writes, with their SQL types, in the order of the values of `ledgerRow`. */
export const ledgerColumns = {
  call_id: 'uuid',
  org_id: 'uuid',
  integration_id: 'uuid',
  integration_slug: 'text',
  method: 'text',
  tool: 'text',
  outward_name: 'text',
  status: 'text',
  lane: 'text',
  run_kind: 'text',
  caller_kind: 'text',
  user_id: 'uuid',
  virtual_key_id: 'uuid',
  run_id: 'uuid',
  request_id: 'text',
  ledger_first: 'boolean',
  safe: 'boolean',
  arguments: 'json',
  arguments_sha256: 'text',
  result: 'json',
  result_bytes: 'integer',
  is_error: 'boolean',
  error_code: 'text',
  error_message: 'text',
  error_details: 'jsonb',
  retry_after_ms: 'bigint',
  auth_path: 'text',
  attempts: 'integer',
  round: 'integer',
  worker_id: 'uuid',
  holder: 'uuid',
  trace_id: 'text',
  accepted_at: 'timestamptz',
  started_at: 'timestamptz',
  ended_at: 'timestamptz',
  deadline_at: 'timestamptz',
} as const;

export type LedgerRow = Record<keyof typeof ledgerColumns, string | number | boolean | null>;

/** The row of a call as a worker knows it. */
export function ledgerRow(job: ToolCallJob, progress: CallProgress): LedgerRow {
  const { call } = job.sealed;
  return {
    call_id: call.callId,
    org_id: call.caller.orgId,
    integration_id: call.integrationId,
    integration_slug: progress.integrationSlug,
    method: call.method ?? 'tools/call',
    tool: call.tool,
    outward_name: call.outwardName,
    status: progress.status,
    lane: call.lane,
    run_kind: call.caller.runKind,
    caller_kind: call.caller.kind,
    user_id: call.caller.userId,
    virtual_key_id: call.caller.virtualKeyId,
    run_id: call.runId,
    request_id: call.requestId,
    ledger_first: call.ledgerFirst,
    safe: progress.safe,
    arguments: progress.keepArguments ? JSON.stringify(job.arguments) : null,
    arguments_sha256: call.argumentsSha256,
    ...outcomeColumns(progress),
    auth_path: progress.authPath,
    attempts: progress.attempts,
    round: job.round,
    worker_id: progress.workerId,
    holder: progress.holder,
    trace_id: progress.traceId,
    accepted_at: iso(call.acceptedAt),
    started_at: iso(progress.startedAt),
    ended_at: iso(progress.endedAt),
    deadline_at: iso(call.deadlineAt),
  };
}

// eslint-disable-next-line complexity -- a flat list of columns, each `??` is one that may be null
function outcomeColumns({ outcome, resultText, resultBytes }: CallProgress) {
  const error = outcome && outcome.status !== 'completed' ? outcome.error : null;
  return {
    result: resultText,
    result_bytes: resultBytes,
    is_error: outcome?.status === 'completed' ? outcome.result.isError === true : null,
    error_code: error?.code ?? null,
    error_message: error?.message.slice(0, 2000) ?? null,
    error_details: error?.details ? withoutNul(JSON.stringify(error.details)) : null,
    retry_after_ms: error?.retryAfterMs ?? null,
  };
}

/** jsonb, unlike json, cannot hold the escape \u0000. */
function withoutNul(json: string): string {
  return json.replaceAll('\\u0000', '\\ufffd');
}

function iso(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
