import type { ToolCallJob, ToolCallOutcome, ToolResult } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';

export function bearer(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

/** A worker's outcome. */
export function completed(job: ToolCallJob, result: ToolResult): ToolCallOutcome {
  return { callId: job.sealed.call.callId, authPath: 'none', status: 'completed', result };
}

export function textResult(text: string): ToolResult {
  return { content: [{ type: 'text', text }] };
}

/** A JSON-RPC request as curl sends it: no Accept header, no session. */
export async function rpc(
  url: string,
  message: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<{ status: number; headers: Headers; body: any }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof message === 'string' ? message : JSON.stringify(message),
    signal,
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  };
}

/** Tries again until the expectations hold. */
export async function until(expectations: () => Promise<unknown> | unknown): Promise<void> {
  await eventually(async () => {
    await expectations();
    return true;
  });
}
