import {
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCResultResponse,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type RequestId,
  type Transport,
  type TransportSendOptions,
} from '@modelcontextprotocol/client';
import type { StdioProcess } from '../stdio/stdio-process.js';
import { currentExchange, OpenExchanges, type Exchange, type LogListener } from './exchange.js';
import { isQuestion, Questions } from './questions.js';

/**
 * Stands between the SDK's client and a transport. It keeps results from the SDK's schemas, which drop unknown fields
 * and refuse a whole list for one odd tool; it ends an exchange whose stream ended; and it closes the HTTP request
 * of a cancelled call, which a legacy client would leave open.
 */
export class ObservedTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: Transport['onmessage'];
  readonly hasPerRequestStream?: boolean;
  readonly exchanges = new OpenExchanges();
  private questions: Questions | undefined;

  constructor(private readonly inner: Transport) {
    this.hasPerRequestStream = inner.hasPerRequestStream;
    inner.onclose = () => {
      this.exchanges.loseAll(this.closeCause);
      this.onclose?.();
    };
    inner.onerror = (error) => this.onerror?.(error);
    inner.onmessage = (message: JSONRPCMessage, extra) => {
      const passed = this.received(message);
      if (passed) this.onmessage?.(passed, extra);
    };
  }

  /** From now on the server may ask the clients of calls. Only servers of before 2026-07-28 do. */
  takeQuestions(): void {
    this.questions = new Questions((message) => this.sendAside(message));
  }

  /** Nobody waits for the exchange any more. */
  end(exchange: Exchange): void {
    this.questions?.endOf(exchange);
    this.exchanges.remove(exchange);
  }

  /** Why the transport closed by itself, if it knows. */
  get closeCause(): Error | undefined {
    return undefined;
  }

  get sessionId(): string | undefined {
    return this.inner.sessionId;
  }

  setProtocolVersion(version: string): void {
    this.inner.setProtocolVersion?.(version);
  }

  async start(): Promise<void> {
    await this.inner.start();
  }

  async close(): Promise<void> {
    await this.inner.close();
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    // Notifications and answers are sent from callbacks that inherit some call's context: they are not that call.
    if (!('method' in message) || isJSONRPCNotification(message)) return this.sendAside(message, options);
    const exchange = currentExchange.getStore();
    if (!exchange) return this.inner.send(message, options);
    this.exchanges.add(message, exchange);
    try {
      await this.inner.send(message, this.observed(exchange, options));
    } catch (error) {
      // Refused by its status, it is nothing that the server could still be busy with.
      if (exchange.facts.response) this.exchanges.forget(exchange);
      throw error;
    }
  }

  private observed(exchange: Exchange, options: TransportSendOptions = {}): TransportSendOptions {
    const signals = [exchange.hangUpSignal, ...(options.requestSignal ? [options.requestSignal] : [])];
    return {
      ...options,
      requestSignal: AbortSignal.any(signals),
      onRequestStreamEnd: () => {
        options.onRequestStreamEnd?.();
        if (this.exchanges.has(exchange)) exchange.lose();
      },
    };
  }

  private async sendAside(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    const cancelled = this.cancelledBy(message);
    try {
      await currentExchange.run(undefined, () => this.inner.send(message, options));
    } finally {
      cancelled?.hangUp();
    }
  }

  private cancelledBy(message: JSONRPCMessage): Exchange | undefined {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
    const { requestId } = (message.params ?? {}) as { requestId?: RequestId };
    const exchange = requestId === undefined ? undefined : this.exchanges.get(requestId);
    if (exchange) this.exchanges.remove(exchange);
    return exchange;
  }

  /** What is left for the SDK. */
  private received(message: JSONRPCMessage): JSONRPCMessage | undefined {
    if (this.questions && isQuestion(message)) return void this.questions.asked(message, this.owner());
    if (isJSONRPCErrorResponse(message)) return this.refused(message);
    if (isJSONRPCNotification(message)) this.tell(message.method, message.params ?? {});
    if (!isJSONRPCResultResponse(message)) return message;
    const exchange = this.exchanges.take(message.id);
    if (!exchange?.options.standIn) return message;
    exchange.result = message.result;
    return { ...message, result: exchange.options.standIn(message.result) };
  }

  private refused(message: JSONRPCErrorResponse): JSONRPCMessage {
    const exchange = message.id === undefined ? undefined : this.exchanges.take(message.id);
    if (exchange) exchange.error = message.error;
    return message;
  }

  /**
   * Progress and log messages, told before the SDK sees them: it handles notifications a moment later than answers, and
   * forgets the progress that came together with its answer.
   */
  private tell(method: string, params: Record<string, unknown>): void {
    const listeners: Record<string, () => void> = {
      'notifications/progress': () =>
        this.exchanges.get(Number(params['progressToken']))?.options.onProgress?.(params),
      'notifications/message': () => this.owner()?.options.onLog?.(logOf(params)),
      'notifications/elicitation/complete': () => this.owner()?.options.onNotification?.(method, params),
      'notifications/cancelled': () => this.questions?.cancelled(params['requestId'] as RequestId),
    };
    if (Object.hasOwn(listeners, method)) listeners[method]?.();
  }

  /**
   * Log messages and questions name no request. The stream that they come on does; on a shared one a single call owns them,
   * unless they may be about a call that ended without the server's answer: its caller is another's.
   */
  private owner(): Exchange | undefined {
    const streaming = currentExchange.getStore();
    if (!streaming?.options.isCall) return this.exchanges.singleCall;
    return this.exchanges.has(streaming) ? streaming : undefined;
  }
}

function logOf({ level, logger, data }: Record<string, unknown>): Parameters<LogListener>[0] {
  return { level: String(level), ...(typeof logger === 'string' && { logger }), data };
}

/** The SDK knows a stdio transport by these two properties, and negotiates the era accordingly. */
export class ObservedStdioTransport extends ObservedTransport {
  constructor(private readonly process: StdioProcess) {
    super(process);
  }

  get pid(): number | null {
    return this.process.pid;
  }

  get stderr(): null {
    return null;
  }

  override get closeCause(): Error | undefined {
    return this.process.failure;
  }
}
