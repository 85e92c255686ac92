import { type Answer, ask } from './http.js';

export type RpcAnswer = {
  readonly jsonrpc: '2.0';
  readonly id: number | string | null;
  readonly result?: Record<string, unknown> & ToolResult & { tools?: { name: string }[] };
  readonly error?: { code: number; message: string; data?: unknown };
};

export type ToolResult = {
  readonly content?: { type: string; text?: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
  readonly _meta?: Record<string, unknown>;
};

/** The object that stands in results of calls that the platform could not complete. */
export type ErrorBody = {
  code: string;
  message: string;
  call_id?: string;
  details?: Record<string, unknown>;
  errors?: unknown[];
};

export function bearer(key: string): Record<string, string> {
  return { authorization: `Bearer ${key}` };
}

/** One POST to `/mcp` as curl would make it: no session, no Accept. */
export function rpc(
  mcpUrl: string,
  headers: Record<string, string>,
  message: { method: string; params?: unknown; id?: number | string },
): Promise<Answer<RpcAnswer>> {
  return ask(mcpUrl, { headers, body: { jsonrpc: '2.0', id: 1, ...message } });
}

/** `tools/call` without a client library. */
export function callTool(
  mcpUrl: string,
  key: string,
  call: { name: string; arguments?: object; id?: number | string },
): Promise<Answer<RpcAnswer>> {
  const { id, ...params } = call;
  return rpc(mcpUrl, bearer(key), { method: 'tools/call', params, ...(id !== undefined && { id }) });
}

/** The outward names that a key sees. */
export async function toolNames(mcpUrl: string, headers: Record<string, string>): Promise<string[]> {
  const answer = await rpc(mcpUrl, headers, { method: 'tools/list' });
  if (!answer.body?.result?.tools) throw new Error(`tools/list: ${answer.status} ${answer.text}`);
  return answer.body.result.tools.map(({ name }) => name).sort();
}

/** What the platform says about a call that it could not complete; undefined for a result of the tool's own. */
export function errorOf(result: ToolResult | undefined): ErrorBody | undefined {
  const body = result?.structuredContent ?? result?._meta?.['io.switchyard/error'];
  return result?.isError && typeof (body as ErrorBody | undefined)?.code === 'string'
    ? (body as ErrorBody)
    : undefined;
}

/** The first text of a result. */
export function textOf(result: Pick<ToolResult, 'content'> | undefined): string | undefined {
  return result?.content?.find(({ type }) => type === 'text')?.text;
}
