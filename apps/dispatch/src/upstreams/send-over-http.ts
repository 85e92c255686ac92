import type { UpstreamPool } from '@switchyard/mcp-client';
import { currentTraceparent } from '@switchyard/service-kit';
import type { ToolResult } from '@switchyard/contracts';
import type { UpstreamCall } from './upstream-call.js';

const connectTimeoutMs = 10_000;

/**
 * Calls an http or sse upstream over a pooled session of the integration and principal. The pool opens a new session
 * within the same call when the server was restarted or forgot the session.
 */
export function sendOverHttp(
  pool: UpstreamPool,
  { job, resolved, lease, signal, onEvent }: UpstreamCall,
): Promise<ToolResult> {
  const { integration } = resolved;
  const { call } = job.sealed;
  const target = { integrationId: integration.id, transport: integration.transport, headers: lease.headers };
  const timeoutMs = Math.max(1, call.deadlineAt - Date.now());
  return pool.withSession(
    `${integration.id}:${integration.version}:${lease.principal}`,
    target,
    (session) =>
      session.call({
        name: call.tool,
        arguments: job.arguments,
        meta: job.meta,
        timeoutMs,
        signal,
        onProgress: job.progress ? (progress) => onEvent({ kind: 'progress', ...progress }) : undefined,
        traceparent: currentTraceparent(),
        tool: resolved.tool.wire,
      }),
    { safe: resolved.safe, connectTimeoutMs: Math.min(timeoutMs, connectTimeoutMs), signal },
  );
}
