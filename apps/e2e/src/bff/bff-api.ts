import { type Answer, ask } from '../harness/http.js';
import { bearer } from '../harness/mcp-rpc.js';

export type BffTool = { readonly tool_id: string; readonly name: string; readonly source: string };
export type BffAnswer = {
  readonly status: string | number;
  readonly code?: string;
  readonly call_id: string;
  readonly result: { structuredContent?: Record<string, unknown> } | null;
  readonly error: { readonly code: string; readonly details?: { reauth_url?: string } } | null;
};

/** `/api/bff` of one gateway, as the chat backend of one user. */
export class BffApi {
  constructor(
    readonly origin: string,
    private readonly token: string,
  ) {}

  async tools(query = ''): Promise<BffTool[]> {
    const answer = await ask<{ tools: BffTool[] }>(`${this.origin}/api/bff/tools${query}`, {
      headers: bearer(this.token),
    });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return answer.body.tools;
  }

  async names(query = ''): Promise<string[]> {
    return (await this.tools(query)).map(({ name }) => name);
  }

  call(body: object, headers: Record<string, string> = {}): Promise<Answer<BffAnswer>> {
    return ask(`${this.origin}/api/bff/tools/call`, {
      body,
      headers: { ...bearer(this.token), ...headers },
    });
  }

  find(callId: string): Promise<Answer<BffAnswer>> {
    return ask(`${this.origin}/api/bff/calls/${callId}`, { headers: bearer(this.token) });
  }

  /** The same call by the async API, which tells the path that it took. */
  record(callId: string): Promise<Answer<{ auth_path: string | null; arguments: unknown }>> {
    return ask(`${this.origin}/api/tool-calls/${callId}`, { headers: bearer(this.token) });
  }
}
