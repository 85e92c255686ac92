import { ask } from '../harness/http.js';
import { rpc, toolNames } from '../harness/mcp-rpc.js';
import type { Filter } from './random-rules.js';

/** Somebody who calls: what they send, and at which address of `/mcp`. */
export type Visitor = {
  readonly headers: Record<string, string>;
  readonly toolset?: string;
  /** Whether the BFF API serves them: people with a token of their own. */
  readonly isUser: boolean;
};

/** What a visitor sees and reaches at each door of one gateway. */
export class Faces {
  constructor(
    private readonly origin: string,
    private readonly visitor: Visitor,
  ) {}

  mcp(filter: Filter | undefined): Promise<string[]> {
    return toolNames(this.#mcpUrl, { ...this.visitor.headers, ...filterHeaders(filter) });
  }

  async bff(filter: Filter | undefined): Promise<string[]> {
    const url = new URL(`/api/bff/tools?${filterQuery(filter)}`, this.origin);
    const answer = await ask<{ tools: { name: string }[] }>(url, { headers: this.visitor.headers });
    if (answer.status !== 200) throw new Error(`the BFF list: ${answer.status} ${answer.text}`);
    return answer.body.tools.map(({ name }) => name).sort();
  }

  /** As a model provider's format lists them. */
  async chat(filter: Filter | undefined): Promise<string[]> {
    const url = new URL(`/v1/mcp/tools?${filterQuery(filter)}`, this.origin);
    const answer = await ask<{ tools: { function: { name: string } }[] }>(url, {
      headers: this.visitor.headers,
    });
    if (answer.status !== 200) throw new Error(`the chat list: ${answer.status} ${answer.text}`);
    return answer.body.tools.map((tool) => tool.function.name).sort();
  }

  /** Whether a call at `/mcp` reaches the tool. */
  async reachesByMcp(name: string, filter: Filter | undefined): Promise<boolean> {
    const params = { name, arguments: everyArgument };
    const headers = { ...this.visitor.headers, ...filterHeaders(filter) };
    const { body } = await rpc(this.#mcpUrl, headers, { method: 'tools/call', params });
    return body.result !== undefined && body.result.isError !== true;
  }

  async reachesByBff(tool: Record<string, string>, filter: Filter | undefined): Promise<boolean> {
    const answer = await ask<{ status?: string }>(new URL('/api/bff/tools/call', this.origin), {
      headers: this.visitor.headers,
      body: { ...tool, arguments: everyArgument, ...filter },
    });
    return answer.status === 200 && answer.body.status === 'completed';
  }

  async reachesByAsync(tool: string): Promise<boolean> {
    const answer = await ask(new URL('/api/tool-calls', this.origin), {
      headers: this.visitor.headers,
      body: { tool, arguments: everyArgument },
    });
    return answer.status === 202;
  }

  get #mcpUrl(): string {
    return new URL(this.visitor.toolset ? `/mcp/${this.visitor.toolset}` : '/mcp', this.origin).href;
  }
}

/** Fits every tool of the fixture upstream. */
const everyArgument = { message: 'x', a: 1, b: 2, id: 'x' };

function filterHeaders(filter: Filter | undefined): Record<string, string> {
  const entries = Object.entries(filter ?? {});
  return Object.fromEntries(
    entries.map(([name, list]) => [`x-bf-mcp-${name.replaceAll('_', '-')}`, list.join(',')]),
  );
}

function filterQuery(filter: Filter | undefined): URLSearchParams {
  const entries = Object.entries(filter ?? {});
  return new URLSearchParams(Object.fromEntries(entries.map(([name, list]) => [name, list.join(',')])));
}
