import {
  PlatformError,
  stdioPriority,
  stdioQueue,
  type StdioAnswer,
  type ToolResult,
  type UpstreamFailure,
} from '@switchyard/contracts';
import { UpstreamError } from '@switchyard/mcp-client';
import type { QueueClient } from '@switchyard/queue';
import { activeUntil } from '../tool-calls/active-until.js';
import { localCaller } from './local-caller.js';
import type { UpstreamCall } from './upstream-call.js';

/**
 * Hands a call to the worker that owns the integration's child. While the job still waits in the owner's queue it is
 * known not to have been sent, and is taken back.
 */
export async function sendOverStdio(queue: QueueClient, upstreamCall: UpstreamCall): Promise<ToolResult> {
  const { job, resolved, attempt, signal, onEvent } = upstreamCall;
  const { call } = job.sealed;
  const definition = stdioQueue(resolved.integration.id);
  const jobId = `${call.callId}-r${job.round}-a${attempt}`;
  const request = {
    v: 1 as const,
    op: 'call' as const,
    callId: call.callId,
    method: call.method,
    tool: call.tool,
    arguments: job.arguments,
    meta: job.meta,
    progress: job.progress,
    safe: resolved.safe,
    deadlineAt: call.deadlineAt,
    client: job.client,
    resume: job.resume,
    activeUntil: activeUntil(job),
    caller: localCaller(resolved.integration.kind, call),
  };
  const options = {
    jobId,
    priority: stdioPriority[call.lane],
    timeoutMs: Math.max(1, call.deadlineAt - Date.now()),
    signal,
    onEvent,
  };
  const answer = await queue.request(definition, request, options).catch(async (error: unknown) => {
    throw new UpstreamError(await unanswered(queue, { definition, jobId, error }));
  });
  return resultOf(answer);
}

async function unanswered(
  queue: QueueClient,
  { definition, jobId, error }: { definition: ReturnType<typeof stdioQueue>; jobId: string; error: unknown },
): Promise<UpstreamFailure> {
  const known =
    error instanceof PlatformError ? error : new PlatformError('queue_unavailable', { cause: error });
  // A failed add may have reached the store all the same: only a job that was taken back is known to be unsent.
  const unsent = await queue.remove(definition, jobId).catch(() => false);
  return { failureClass: unsent ? 'not_sent' : 'sent_no_answer', error: known.toInfo() };
}

function resultOf(answer: StdioAnswer): ToolResult {
  if (answer.status === 'called') return answer.result;
  if (answer.status === 'failed') throw new UpstreamError(answer.failure);
  throw new UpstreamError({ failureClass: 'answered', error: new PlatformError('internal').toInfo() });
}
