import { laneOf, type ToolCall, type ToolCallJob } from '@switchyard/contracts';
import { sealToolCall, type Sealer } from '@switchyard/queue';
import { digestOf } from '../digest-of.js';
import type { PlannedTool, Run, RunCall } from '../runs/run-data.js';

type CallParts = {
  readonly run: Run;
  readonly call: RunCall;
  readonly tool: PlannedTool;
  /** As the ledger has them, where the call is in it already: then the job is the same as the first. */
  readonly times: { readonly acceptedAt: number; readonly deadlineAt: number };
};

/** The job of a run's call, sealed as every call is. */
export function toJob(sealer: Sealer, parts: CallParts): ToolCallJob {
  const args = parts.call.asked.arguments;
  const job = { v: 1, progress: false, round: 0, attempts: 0, arguments: args, ...tokenOf(parts) } as const;
  return { ...job, sealed: sealToolCall(sealer, toCall(parts)) };
}

/** A user's token goes no further than it is needed. */
function tokenOf({ run, tool }: CallParts): { subjectToken?: string } {
  return tool.exchangesToken && run.subjectToken !== null ? { subjectToken: run.subjectToken } : {};
}

function toCall(parts: CallParts): ToolCall {
  const { run, call, tool, times } = parts;
  const { subjectToken } = tokenOf(parts);
  return {
    v: 1,
    callId: call.callId,
    integrationId: tool.integrationId,
    tool: tool.tool,
    outwardName: tool.outwardName,
    caller: run.caller,
    lane: laneOf(run.caller.runKind),
    ledgerFirst: true,
    argumentsSha256: digestOf(JSON.stringify(call.asked.arguments)),
    subjectTokenSha256: subjectToken === undefined ? null : digestOf(subjectToken),
    ...times,
    runId: run.id,
    requestId: call.requestId,
  };
}
