import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  type QuestionAnswer,
  queues,
  type ToolCallEvent,
  type ToolCallOutcome,
  topics,
} from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { CallerLeft, type CallRequest, type StartedCall } from '../tool-calls/prepared-call.js';
import { type Question, Questions } from '../tool-calls/questions.service.js';
import { type CallAnswer, ToolCallsService } from '../tool-calls/tool-calls.service.js';

const cancelTimeoutMs = 5_000;
/** How long the end of a call is kept for a retry that has not come yet; after that the ledger knows it. */
const keptEndMs = 600_000;

/** A call as the retry of its client names it. */
export type ParkedCall = {
  readonly callId: string;
  readonly deadlineAt: number;
  /** Its caller may go away, and fetch the end by the same Idempotency-Key. */
  readonly isKept: boolean;
};

/** What comes first: a question for the client, or the end. */
export type Turn =
  { readonly kind: 'asked'; readonly call: Started; readonly questions: readonly Question[] } | CallAnswer;

/** What a client answered, by question. */
export type GivenAnswers = ReadonlyMap<string, QuestionAnswer>;

/** `tool` is known to the replica that made the call. */
type Started = Omit<StartedCall, 'tool'> & Partial<Pick<StartedCall, 'tool'>>;

type Running = {
  readonly started: Promise<Started>;
  readonly end: Promise<CallAnswer>;
  /** Where events go now: to the request that waits, if one does. */
  onEvent: ((event: ToolCallEvent) => void) | undefined;
  waiting: number;
  /** Whether it is known to outlive the request that waits. */
  isParked: boolean;
  readonly left: AbortController;
};

/**
 * Calls whose upstream may ask in the middle of a request, for clients of 2026-07-28, which can only be asked by the end of
 * theirs: the call stays open here while its client is away with the question. The retry may come to any replica.
 */
@Injectable()
export class ParkedCalls implements OnModuleInit {
  readonly #running = new Map<string, Running>();
  readonly #followers = new Map<string, Set<(outcome: ToolCallOutcome) => void>>();

  constructor(
    private readonly toolCalls: ToolCallsService,
    private readonly questions: Questions,
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.parkedCallEnded, ({ callId, outcome }) => {
      for (const tell of this.#followers.get(callId) ?? []) tell(outcome);
    });
  }

  /** Makes the call, and gives what comes first. */
  begin(request: CallRequest, traceparent: string | undefined): Promise<Turn> {
    const { promise: started, resolve } = Promise.withResolvers<StartedCall>();
    const left = new AbortController();
    const whole: CallRequest = {
      ...request,
      signal: left.signal,
      onStart: (call) => {
        this.#running.set(call.callId, running);
        resolve(call);
      },
      onEvent: (event) => void this.#event(started, event, running),
    };
    const end = this.toolCalls.call(whole, traceparent);
    const running: Running = { started, end, onEvent: request.onEvent, waiting: 0, isParked: false, left };
    // The end of a parked call is kept for its client's retry.
    const forget = (): void =>
      void started.then(({ callId }) => !running.isParked && this.#running.delete(callId));
    end.then(forget, forget);
    return this.#turn(running, request);
  }

  /** Goes on with a call whose client has answered, wherever it runs. What it left open it is asked again. */
  async resume(parked: ParkedCall, answers: GivenAnswers, request: CallRequest): Promise<Turn> {
    const { callId } = parked;
    const running = this.#running.get(callId) ?? this.#follow(parked, request);
    running.onEvent = request.onEvent;
    for (const [questionId, answer] of answers) await this.questions.answer(callId, questionId, answer);
    return this.#turn(running, request);
  }

  async #turn(running: Running, { signal }: CallRequest): Promise<Turn> {
    const { promise: asked, resolve } = Promise.withResolvers<Turn>();
    let stop = (): void => undefined;
    void running.started.then((call) => {
      const look = (): void => {
        const questions = this.questions.open(call.callId);
        if (questions.length > 0) resolve({ kind: 'asked', call, questions });
      };
      stop = this.questions.watch(call.callId, look);
      look();
    });
    const leave = (): void => running.left.abort(signal?.reason ?? new CallerLeft('disconnected'));
    if (signal?.aborted) leave();
    signal?.addEventListener('abort', leave, { once: true });
    running.waiting++;
    try {
      const turn = await Promise.race([running.end, asked]);
      if (turn.kind === 'asked') this.#park(turn.call.callId, running);
      else void running.started.then(({ callId }) => this.#running.delete(callId));
      return turn;
    } finally {
      running.waiting--;
      stop();
      signal?.removeEventListener('abort', leave);
    }
  }

  /** From now on the end may come while nobody waits here. */
  #park(callId: string, running: Running): void {
    if (running.isParked || this.#running.get(callId) !== running) return;
    running.isParked = true;
    void running.end
      .then(async (answer) => {
        if (running.waiting > 0 || answer.kind !== 'ended') return;
        setTimeout(() => this.#running.delete(callId), keptEndMs).unref();
        await this.queue.publish(topics.parkedCallEnded, { callId, outcome: answer.outcome });
      })
      .catch((err: unknown) => this.log.warn({ err, callId }, 'the end of a parked call was told to nobody'));
  }

  #follow(parked: ParkedCall, request: CallRequest): Running {
    const { callId, deadlineAt, isKept } = parked;
    const left = new AbortController();
    const { promise: news, resolve } = Promise.withResolvers<ToolCallOutcome>();
    const followers = this.#followers.get(callId) ?? new Set();
    this.#followers.set(callId, followers.add(resolve));
    const end = this.toolCalls.follow({ ...request, signal: left.signal }, { callId, deadlineAt, news });
    const forget = (): void => {
      followers.delete(resolve);
      if (followers.size === 0) this.#followers.delete(callId);
    };
    end.then(forget, forget);
    left.signal.addEventListener('abort', () => {
      const { reason } = left.signal as { reason: unknown };
      const hasEnded = reason instanceof CallerLeft && reason.how === 'cancelled';
      if (hasEnded || !isKept) void this.#cancel(callId, request);
    });
    const started = Promise.resolve({ callId, deadlineAt, ledgerFirst: isKept, tool: undefined });
    return { started, end, onEvent: undefined, waiting: 0, isParked: false, left };
  }

  async #event(started: Promise<Started>, event: ToolCallEvent, running: Running): Promise<void> {
    if (event.kind !== 'question') return running.onEvent?.(event);
    const { callId } = await started;
    this.questions.asked(callId, event);
  }

  async #cancel(callId: string, { caller: { orgId } }: CallRequest): Promise<void> {
    const wish = { v: 1, callId, orgId } as const;
    await this.queue
      .request(queues.toolCallCancellations, wish, { timeoutMs: cancelTimeoutMs })
      .catch((err: unknown) =>
        this.log.warn({ err, callId }, 'a call whose caller left could not be cancelled'),
      );
  }
}
