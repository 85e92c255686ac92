import type { ToolResult } from '@switchyard/contracts';
import type { UpstreamPool, UpstreamSession } from '@switchyard/mcp-client';
import { currentTraceparent } from '@switchyard/service-kit';
import type { CallQuestions } from '../questions/call-questions.js';
import { activeUntil } from '../tool-calls/active-until.js';
import { capabilitiesOf, clientListeners, sessionSuffix } from './client-side.js';
import type { UpstreamCall } from './upstream-call.js';

const connectTimeoutMs = 10_000;

/**
 * Calls an http or sse upstream over a pooled session of the integration and principal. The pool opens a new session
 * within the same call when the server was restarted or forgot the session. A call whose client can be asked has a
 * session of its own while it runs, so that every question on it is that call's; only servers of 2026-07-28, which do not
 * ask in the middle, share theirs.
 */
export function sendOverHttp(
  { pool, questions }: { pool: UpstreamPool; questions: CallQuestions },
  call: UpstreamCall,
): Promise<ToolResult> {
  const { job, resolved, lease, signal } = call;
  const { integration, safe } = resolved;
  const { deadlineAt, caller } = job.sealed.call;
  const target = { integrationId: integration.id, transport: integration.transport, headers: lease.headers };
  const key = `${integration.id}:${integration.version}:${lease.principal}`;
  const timeoutMs = Math.max(1, deadlineAt - Date.now());
  const connectWithinMs = Math.min(Math.max(1, activeUntil(job) - Date.now()), connectTimeoutMs);
  const options = { safe, connectTimeoutMs: connectWithinMs, signal };
  const work = (session: UpstreamSession) => session.call({ ...optionsOf(call, questions), timeoutMs });
  const capabilities = capabilitiesOf(job.client);
  if (!capabilities || pool.isModern(key, target)) return pool.withSession(key, target, work, options);
  const ownKey = `${key}:asks:${sessionSuffix(caller, capabilities)}`;
  return pool.withOwnSession(ownKey, target, work, { ...options, capabilities, eraKey: key });
}

function optionsOf({ job, resolved, signal, onEvent }: UpstreamCall, questions: CallQuestions) {
  const { callId, tool, method } = job.sealed.call;
  return {
    ...{ method, name: tool, arguments: job.arguments, meta: job.meta, resume: job.resume, signal },
    onProgress: job.progress
      ? (progress: { progress: number }) => onEvent({ kind: 'progress', ...progress })
      : undefined,
    traceparent: currentTraceparent(),
    tool: resolved.wire,
    ...clientListeners(questions, { callId, client: job.client, emit: onEvent }),
  };
}
