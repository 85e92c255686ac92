import type { ServerResponse } from 'node:http';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import { EventStream } from './event-stream.js';
import { withLegacyCode } from './legacy-errors.js';
import { sendJson } from './mcp-request.js';
import { resultText, type ToolList } from './tool-list.js';

/** What the client said it reads: `json` for curl without an Accept header, `either` for MCP clients. */
export type AnswerForm = 'json' | 'events' | 'either';

type Options = {
  readonly form: AnswerForm;
  readonly keepAliveMs: number;
  /** Headers that depend on the answer: the session id after `initialize`. */
  readonly headersOf: (message: JSONRPCMessage) => Record<string, string>;
};

/**
 * The SDK's transport for one POST of a legacy client: a request comes in, its response goes out, as JSON, or as an
 * event stream once there is something to say before it (progress, or nothing at all for a while). Any replica can
 * serve it, since what a session has to know comes with the request.
 */
export class LegacyExchange implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  #stream: EventStream | undefined;
  #isOver = false;
  #silence: NodeJS.Timeout | undefined;

  constructor(
    private readonly response: ServerResponse,
    private readonly options: Options,
  ) {}

  start(): Promise<void> {
    if (this.options.form === 'events') this.#openStream();
    if (this.options.form === 'either') {
      this.#silence = setTimeout(() => this.#openStream(), this.options.keepAliveMs);
    }
    return Promise.resolve();
  }

  /** Whether the client can be told anything before the response. */
  get takesEvents(): boolean {
    return this.options.form !== 'json';
  }

  /** Hands the client's request to the server that is connected. */
  receive(message: JSONRPCMessage): void {
    this.onmessage?.(message);
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    if ('method' in message) this.sendBefore(message);
    else this.#finish(withLegacyCode(message));
    return Promise.resolve();
  }

  /** Ends the exchange without a response, if it has none yet: the client has left or has cancelled. */
  close(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    this.#end();
    // The SDK aborts what still runs, and must not do so while it sends. After a response nothing runs.
    queueMicrotask(() => this.onclose?.());
    if (this.#stream) this.#stream.end();
    else if (!this.response.destroyed) this.#answerNothing();
    return Promise.resolve();
  }

  /** Sends a request or a notification of ours on the stream of the client's own request. */
  sendBefore(message: object): void {
    if (this.#isOver || !this.takesEvents) return;
    this.#openStream();
    this.#stream?.send(JSON.stringify(message));
  }

  #finish(message: JSONRPCMessage): void {
    const text = textOf(message);
    if (this.#stream) {
      this.#stream.send(text);
      this.#stream.end();
    } else {
      for (const [name, value] of Object.entries(this.options.headersOf(message)))
        this.response.setHeader(name, value);
      sendJson(this.response, 200, text);
    }
    this.#end();
  }

  /** An event stream that ends is no error to the SDKs; a request that wants JSON gets an empty answer. */
  #answerNothing(): void {
    if (this.options.form === 'json') this.response.writeHead(202).end();
    else new EventStream(this.response, this.options).end();
  }

  #openStream(): void {
    this.#stream ??= new EventStream(this.response, this.options);
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#silence);
  }
}

/** A result that brings its own text is not written again. */
function textOf(message: JSONRPCMessage): string {
  const text = 'result' in message ? (message.result as Partial<ToolList>)[resultText] : undefined;
  if (!text) return JSON.stringify(message);
  return `{"jsonrpc":"2.0","id":${JSON.stringify('id' in message ? message.id : null)},"result":${text()}}`;
}

/** `either` unless the client names what it takes and leaves one out. */
export function answerForm(accept: string | undefined): AnswerForm {
  if (!accept?.includes('text/event-stream')) return 'json';
  return /application\/json|\*\/\*|application\/\*/.test(accept) ? 'either' : 'events';
}
