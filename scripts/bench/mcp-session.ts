import { Pool } from 'undici';

export type Era = 'legacy' | 'modern';
export const eras: readonly Era[] = ['legacy', 'modern'];
export type Endpoint = { url: string; key?: string };
export type Result = Record<string, unknown>;

/** A request that was answered, whose answer nobody has read yet. */
export type Answered = { id: number; method: string; text: string };

type Message = { method: string; id?: number; params?: object };
type RpcAnswer = { id?: number; result?: Result; error?: { code: number; message: string } };

const versions = { legacy: '2025-11-25', modern: '2026-07-28' } as const;
const clientInfo = { name: 'switchyard-bench', version: '1' };
const requestTimeoutMs = 60_000;

/**
 * A client without an SDK, so that what is measured is the server: keep-alive connections, one session in the legacy
 * era, an envelope per request in the modern one.
 */
export class McpSession {
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: Record<string, string>;
  readonly #era: Era;
  #lastId = 0;

  private constructor({ url, key }: Endpoint, era: Era, connections: number) {
    const { origin, pathname } = new URL(url);
    const timeouts = { headersTimeout: requestTimeoutMs, bodyTimeout: requestTimeoutMs };
    this.#pool = new Pool(origin, { connections, pipelining: 1, keepAliveTimeout: 60_000, ...timeouts });
    this.#path = pathname;
    this.#era = era;
    this.#headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': versions[era],
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    };
  }

  /** Opens a session; in the modern era there is nothing to open. */
  static async open(endpoint: Endpoint, era: Era, connections = 1): Promise<McpSession> {
    const session = new McpSession(endpoint, era, connections);
    if (era === 'legacy') await session.#initialize();
    return session;
  }

  /** Calls a tool. Resolves once the answer has arrived. */
  callTool(name: string, args: Record<string, unknown>): Promise<Answered> {
    return this.#request('tools/call', { name, arguments: args }, name);
  }

  /** Asks for the list of tools. */
  listTools(): Promise<Answered> {
    return this.#request('tools/list', {});
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  async #initialize(): Promise<void> {
    const params = { protocolVersion: versions.legacy, capabilities: {}, clientInfo };
    const { headers } = await this.#post({ id: 0, method: 'initialize', params });
    const session = headers['mcp-session-id'];
    if (typeof session !== 'string') throw new Error('initialize gave no session');
    this.#headers['mcp-session-id'] = session;
    await this.#post({ method: 'notifications/initialized' });
  }

  async #request(method: string, params: object, name?: string): Promise<Answered> {
    const id = ++this.#lastId;
    const { text } = await this.#post({ id, method, params: this.#withEnvelope(params) }, name);
    return { id, method, text };
  }

  #withEnvelope(params: object): object {
    if (this.#era === 'legacy') return params;
    const envelope = {
      'io.modelcontextprotocol/protocolVersion': versions.modern,
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': clientInfo,
    };
    return { ...params, _meta: envelope };
  }

  async #post(message: Message, name?: string) {
    const modern = this.#era === 'modern' && {
      'mcp-method': message.method,
      ...(name !== undefined && { 'mcp-name': name }),
    };
    const { statusCode, headers, body } = await this.#pool.request({
      method: 'POST',
      path: this.#path,
      headers: { ...this.#headers, ...modern },
      body: JSON.stringify({ jsonrpc: '2.0', ...message }),
    });
    const text = await body.text();
    if (statusCode >= 300)
      throw new Error(`${message.method} was answered ${statusCode}: ${text.slice(0, 500)}`);
    return { headers, text };
  }
}

/** The result in an answer. Throws where there is none, or another request's. */
export function readResult({ id, method, text }: Answered): Result {
  const answer = JSON.parse(text.startsWith('{') ? text : lastEvent(text)) as RpcAnswer;
  if (answer.id === id && answer.result) return answer.result;
  throw new Error(`${method} was answered ${JSON.stringify(answer).slice(0, 500)}`);
}

/** Throws unless a tool answered, and with this text. */
export function checkText(answered: Answered, expected: string): void {
  const { content, isError } = readResult(answered) as { content: { text?: string }[]; isError?: boolean };
  if (isError !== true && content[0]?.text === expected) return;
  throw new Error(`a tool answered ${answered.text.slice(0, 500)}`);
}

/** Throws unless so many tools were listed, on one page. */
export function checkCount(answered: Answered, expected: number): void {
  const { tools, nextCursor } = readResult(answered) as { tools: unknown[]; nextCursor?: string };
  if (tools.length === expected && nextCursor === undefined) return;
  throw new Error(`${tools.length} tools were listed instead of ${expected}`);
}

/** The response is the last message of its stream. */
function lastEvent(stream: string): string {
  const start = stream.lastIndexOf('\ndata:') + 1 || stream.indexOf('data:');
  return stream.slice(start + 'data:'.length).split('\n\n', 1)[0] ?? '';
}
