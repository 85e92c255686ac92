import { AsyncLocalStorage } from 'node:async_hooks';
import { SdkError, SdkErrorCode, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/client';
import type { AskCapabilities, QuestionListener } from './questions.js';
import type { RequestFacts } from '../failures/classify-failure.js';

export type LogListener = (message: { level: string; logger?: string; data: unknown }) => void;

export type ExchangeOptions = {
  /** Added to the HTTP request. */
  headers?: Record<string, string>;
  /** Keeps the result from the SDK's schemas, and says what the SDK sees in its place. */
  standIn?: (result: unknown) => Record<string, unknown>;
  /** Log messages of the server that came on this request's stream. */
  onLog?: LogListener;
  /** A request on behalf of a caller, to whom what the server says meanwhile may belong. */
  isCall?: boolean;
  /** What the caller's client declared, and who answers for it. */
  capabilities?: AskCapabilities;
  onQuestion?: QuestionListener;
  /** Other notifications for the caller's client. */
  onNotification?: (method: string, params: Record<string, unknown>) => void;
  /** Progress of the request, as it came. */
  onProgress?: (params: Record<string, unknown>) => void;
};

/**
 * One request to an upstream, seen from below: what its failure class depends on, and its result as it came over the
 * wire. The SDK's client reports neither. It travels beside the SDK as async context, so that transport and `fetch`
 * know on whose behalf they run.
 */
export class Exchange {
  readonly facts: RequestFacts = { requestSent: false };
  /** The result as the upstream sent it, before the SDK's schemas. Only with `standIn`. */
  result: unknown;
  /** The error as the upstream sent it, which the SDK’s classes may tell otherwise. */
  error?: { code: number; message: string; data?: unknown };
  id?: RequestId;
  /** What the server asked of the call's client, in vain: the capability that the client did not declare. */
  undeclared?: Record<string, unknown>;
  resumeFailures = 0;
  /** Why no answer came, where the SDK's error does not say it. */
  cause?: Error;
  private readonly hangingUp = new AbortController();
  private readonly losing = new AbortController();

  constructor(readonly options: ExchangeOptions = {}) {}

  /** Aborts the HTTP request behind the exchange. */
  get hangUpSignal(): AbortSignal {
    return this.hangingUp.signal;
  }

  /** Aborts when no answer can come any more. */
  get lostSignal(): AbortSignal {
    return this.losing.signal;
  }

  hangUp(): void {
    this.hangingUp.abort();
  }

  /** The stream ended, or its session did, before the answer: whoever waits need not wait for the deadline. */
  lose(cause?: Error): void {
    this.cause ??= cause;
    this.losing.abort(
      new SdkError(SdkErrorCode.ConnectionClosed, 'the response stream ended without an answer'),
    );
  }
}

/** The exchange on whose behalf the present code runs. */
export const currentExchange = new AsyncLocalStorage<Exchange | undefined>();

/** Beyond so many the ids are no longer told apart: the session stays as if one of them were never answered. */
const MOST_STRAYS = 1_000;

/** The exchanges of one session that wait for their answer. */
export class OpenExchanges {
  private readonly open = new Map<RequestId, Exchange>();
  /** Calls that nobody here waits for any more, though the server may still be busy with them: since when. */
  private readonly strays = new Map<RequestId, number>();
  private uncountedAt: number | null = null;

  add(message: JSONRPCMessage, exchange: Exchange | undefined): void {
    if (!exchange || !('id' in message) || message.id === undefined) return;
    exchange.id = message.id;
    this.open.set(message.id, exchange);
  }

  /**
   * Nobody waits for the exchange any more. A call that the server has not answered is remembered: what it says from
   * now on may be about that one.
   */
  remove(exchange: Exchange): void {
    if (exchange.id === undefined || !this.open.delete(exchange.id) || !exchange.options.isCall) return;
    if (this.strays.size >= MOST_STRAYS) this.uncountedAt = Date.now();
    else this.strays.set(exchange.id, Date.now());
  }

  /** The request never came to be worked on. */
  forget(exchange: Exchange): void {
    if (exchange.id !== undefined) this.open.delete(exchange.id);
  }

  /** Since when nobody waits for a call that the server has not answered: the last such. Null where there is none. */
  get lastStrayAt(): number | null {
    const at = Math.max(this.uncountedAt ?? 0, ...this.strays.values());
    return at > 0 ? at : null;
  }

  get(id: RequestId): Exchange | undefined {
    return this.open.get(id);
  }

  /** Removes and returns the exchange that a response belongs to. */
  take(id: RequestId): Exchange | undefined {
    const exchange = this.open.get(id);
    this.open.delete(id);
    this.strays.delete(id);
    return exchange;
  }

  /** The only call that the server can be busy with, if there is one alone. */
  get singleCall(): Exchange | undefined {
    if (this.lastStrayAt !== null) return undefined;
    const calls = [...this.open.values()].filter(({ options }) => options.isCall);
    return calls.length === 1 ? calls[0] : undefined;
  }

  has(exchange: Exchange): boolean {
    return exchange.id !== undefined && this.open.get(exchange.id) === exchange;
  }

  /** Ends all. The cause is a single exchange's; of several nobody knows whose it was. */
  loseAll(cause?: Error): void {
    const all = [...this.open.values()];
    this.open.clear();
    this.strays.clear();
    for (const exchange of all) exchange.lose(all.length === 1 ? cause : undefined);
  }
}
