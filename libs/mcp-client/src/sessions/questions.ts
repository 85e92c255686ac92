import type { JSONRPCMessage, JSONRPCRequest, RequestId } from '@modelcontextprotocol/client';
import type { QuestionAnswer } from '@switchyard/contracts';
import type { Exchange } from './exchange.js';

const methods = ['elicitation/create', 'sampling/createMessage', 'roots/list'] as const;

/** What a legacy server asks its client in the middle of a call. The signal aborts when nobody wants the answer any more. */
export type Question = {
  method: (typeof methods)[number];
  params: Record<string, unknown>;
  signal: AbortSignal;
};

/** Answers a question, in its own time. */
export type QuestionListener = (question: Question) => Promise<QuestionAnswer>;

/** MCP client capabilities, as the caller's client declared them. */
export type AskCapabilities = Partial<Record<'elicitation' | 'sampling' | 'roots', Record<string, unknown>>>;

/** As many as any client can be meant to have before it at once. */
const MOST_OPEN = 16;
const MOST_PARAMS_BYTES = 256 * 1024;

const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INVALID_REQUEST = -32600;
const INTERNAL_ERROR = -32603;

/** Whether a message of the server is a question that a call's client may have to answer. */
export function isQuestion(message: JSONRPCMessage): message is JSONRPCRequest {
  return 'method' in message && 'id' in message && methods.some((method) => method === message.method);
}

/**
 * The questions of one session's server. Each belongs to exactly one call; what belongs to none, or asks for more than the
 * call's client declared, is refused. Questions and answers pass as they are, around the SDK's schemas.
 */
export class Questions {
  private readonly open = new Map<RequestId, { exchange: Exchange; controller: AbortController }>();

  constructor(private readonly send: (message: JSONRPCMessage) => Promise<void>) {}

  /** `exchange` is the call on whose behalf the server asks, where that is known. */
  asked({ id, method, params = {} }: JSONRPCRequest, exchange: Exchange | undefined): void {
    const { onQuestion, capabilities = {} } = exchange?.options ?? {};
    if (!exchange) return this.refuse(id, INVALID_REQUEST, 'It is not known for which call this is asked.');
    if (!onQuestion || !isDeclared(capabilities, method, params)) {
      exchange.undeclared = capabilityFor(method, params);
      return this.refuse(id, METHOD_NOT_FOUND, refusalOf(exchange.undeclared));
    }
    if (this.openOf(exchange) >= MOST_OPEN)
      return this.refuse(id, INVALID_REQUEST, `This call has ${MOST_OPEN} open questions already.`);
    if (Buffer.byteLength(JSON.stringify(params)) > MOST_PARAMS_BYTES)
      return this.refuse(id, INVALID_PARAMS, `A question may be ${MOST_PARAMS_BYTES} bytes long.`);
    const controller = new AbortController();
    this.open.set(id, { exchange, controller });
    const question = { method: method as Question['method'], params, signal: controller.signal };
    onQuestion(question)
      .catch(() => ({ error: { code: INTERNAL_ERROR, message: 'The question was not answered.' } }))
      .then((answer) => this.answer(id, answer))
      .catch(() => undefined);
  }

  /** The server takes a question back. */
  cancelled(id: RequestId): void {
    this.open.get(id)?.controller.abort();
    this.open.delete(id);
  }

  /** The call is over, and with it what it asked. */
  endOf(exchange: Exchange): void {
    for (const [id, asked] of this.open) if (asked.exchange === exchange) this.cancelled(id);
  }

  private openOf(exchange: Exchange): number {
    return [...this.open.values()].filter((asked) => asked.exchange === exchange).length;
  }

  private async answer(id: RequestId, answer: QuestionAnswer): Promise<void> {
    // Nobody waits for the answer to a question that was taken back.
    if (this.open.delete(id)) await this.send({ jsonrpc: '2.0', id, ...answer } as JSONRPCMessage);
  }

  private refuse(id: RequestId, code: number, message: string): void {
    this.send({ jsonrpc: '2.0', id, error: { code, message } }).catch(() => undefined);
  }
}

/** Many a tool shows it as its own error: so whoever reads that finds what is missing. */
function refusalOf(required: Record<string, unknown>): string {
  const names = Object.entries(required).map(([name, modes]) =>
    [name, ...Object.keys(modes as object)].join('.'),
  );
  return `client_capability_missing: the client of this call did not declare ${names.join(', ')}.`;
}

/** As a client would declare it. */
function capabilityFor(method: string, { mode = 'form' }: Record<string, unknown>): Record<string, unknown> {
  if (method === 'sampling/createMessage') return { sampling: {} };
  return method === 'roots/list' ? { roots: {} } : { elicitation: { [mode === 'url' ? 'url' : 'form']: {} } };
}

/** A bare `elicitation: {}` means forms alone. */
function isDeclared(
  { elicitation, sampling, roots }: AskCapabilities,
  method: string,
  { mode = 'form' }: Record<string, unknown>,
): boolean {
  if (method === 'sampling/createMessage') return sampling !== undefined;
  if (method === 'roots/list') return roots !== undefined;
  if (!elicitation) return false;
  if (mode === 'form') return 'form' in elicitation || !('url' in elicitation);
  return typeof mode === 'string' && mode in elicitation;
}
