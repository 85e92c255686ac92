import { randomUUID } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { QuestionAnswer, topics } from '@switchyard/contracts';
import { QueueClient, sealAnswer, Sealer, verifyAnswer } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { Session } from './session-token.js';

/** A request of ours to a client. */
export type ClientRequest = { readonly method: string; readonly params: Record<string, unknown> };

type Asking = { readonly send: (message: object) => void; readonly signal: AbortSignal };

/**
 * What legacy clients answer to requests of ours. We ask on the stream of the POST that the question belongs to; the answer is a POST
 * of its own, which may reach any replica.
 */
@Injectable()
export class ClientAnswers implements OnModuleInit {
  readonly #waiting = new Map<string, (answer: QuestionAnswer) => void>();

  constructor(
    private readonly queue: QueueClient,
    private readonly sealer: Sealer,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.clientAnswered, ({ sessionId, requestId, answer, seal }) => {
      const isOurs = verifyAnswer(this.sealer, { id1: sessionId, id2: requestId, answer }, seal);
      if (isOurs) this.#waiting.get(keyOf(sessionId, requestId))?.(answer);
    });
  }

  /** Asks the client of the session. Rejects when the signal aborts, and then takes the question back. */
  async ask(
    session: Session,
    { method, params }: ClientRequest,
    { send, signal }: Asking,
  ): Promise<QuestionAnswer> {
    signal.throwIfAborted();
    const requestId = randomUUID();
    const key = keyOf(session.id, requestId);
    const { promise, resolve, reject } = Promise.withResolvers<QuestionAnswer>();
    const takeBack = (): void => {
      const cancelled = { requestId, reason: 'The call is over.' };
      send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: cancelled });
      reject(signal.reason as Error);
    };
    this.#waiting.set(key, resolve);
    signal.addEventListener('abort', takeBack, { once: true });
    send({ jsonrpc: '2.0', id: requestId, method, params });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', takeBack);
      this.#waiting.delete(key);
    }
  }

  /** A response that a client posted. One that answers nothing, or that is none, is dropped. */
  take(session: Session, { id, result, error }: { id?: unknown; result?: unknown; error?: unknown }): void {
    if (typeof id !== 'string') return;
    const answer = QuestionAnswer.safeParse(error === undefined ? { result } : { error }).data ?? malformed;
    const resolve = this.#waiting.get(keyOf(session.id, id));
    if (resolve) return resolve(answer);
    if (!/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(id)) return;
    const seal = sealAnswer(this.sealer, { id1: session.id, id2: id, answer });
    this.queue
      .publish(topics.clientAnswered, { sessionId: session.id, requestId: id, answer, seal })
      .catch((err: unknown) => this.log.warn({ err }, 'a client’s answer could not be passed on'));
  }
}

const malformed: QuestionAnswer = {
  error: { code: -32600, message: 'The client’s answer is no JSON-RPC response.' },
};

function keyOf(sessionId: string, requestId: string): string {
  return `${sessionId} ${requestId}`;
}
