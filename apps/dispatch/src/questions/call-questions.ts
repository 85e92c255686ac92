import { randomUUID } from 'node:crypto';
import { type MessageOf, type QuestionAnswer, topics, type ToolCallEvent } from '@switchyard/contracts';
import type { Question } from '@switchyard/mcp-client';
import { type QueueClient, sealAnswer, type Sealer, verifyAnswer } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import type { ActiveClock } from './active-clock.js';
import type { Place } from './places.js';

type AskedEvent = Extract<ToolCallEvent, { kind: 'question' }>;
type Answered = MessageOf<typeof topics.questionAnswered>;

/** One call in this worker's hands. */
type Asking = {
  /** Of the worker of the call, and of the owner of the child, where both are here. */
  readonly clocks: ActiveClock[];
  /** Open questions, and who waits for their answers; nobody here, where the child of another worker asks. */
  readonly open: Map<string, (answer: QuestionAnswer | null) => void>;
  hasCallerLeft: boolean;
  /** What the call keeps from others while it waits for an answer. */
  readonly places: Place[];
  /** Who has the call in hand: the worker of the call, and the owner of the child. */
  users: number;
};

const answerWithinMs = 600_000;
const INTERNAL_ERROR = -32603;

/**
 * What upstreams ask in the middle of calls. A question goes to the waiting face with the call's events, and over a topic to
 * the other replicas, to any of which the client's answer may come; the answer comes back over a topic, sealed.
 */
export class CallQuestions {
  private readonly calls = new Map<string, Asking>();

  constructor(
    private readonly queue: QueueClient,
    private readonly sealer: Sealer,
    private readonly log: Log,
    private readonly limitMs: number = answerWithinMs,
  ) {}

  async start(): Promise<void> {
    await this.queue.subscribe(topics.questionAnswered, (message) => this.answered(message));
    await this.queue.subscribe(topics.toolCallCancel, ({ callId }) => this.callerLeft(callId));
  }

  /**
   * The call is in hand; `clock` stands still while questions of it are open, and meanwhile it holds `places`. Each `begin`
   * has its `end`.
   */
  begin(callId: string, clock: ActiveClock, places: readonly Place[]): void {
    const asking: Asking = this.calls.get(callId) ?? newAsking();
    asking.clocks.push(clock);
    asking.places.push(...places);
    asking.users += 1;
    this.calls.set(callId, asking);
  }

  /** Nothing is asked for the call any more. */
  end(callId: string): void {
    const asking = this.calls.get(callId);
    if (!asking || --asking.users > 0) return;
    for (const settle of asking.open.values()) settle(null);
    this.calls.delete(callId);
  }

  /** Asks the client of a call that is in hand. Resolves with its answer, or with that it gave none. */
  async ask(callId: string, question: Question, emit: (event: AskedEvent) => void): Promise<QuestionAnswer> {
    const { method, params, signal } = question;
    const asking = this.calls.get(callId);
    if (!asking || asking.hasCallerLeft || signal.aborted) return noAnswer(method);
    const full = this.fullPlaceOf(asking);
    if (full) return this.refuse(callId, full);
    const questionId = randomUUID();
    const answer = this.wait(asking, questionId, signal);
    emit({ kind: 'question', questionId, method, params });
    await this.queue
      .publish(topics.questionAsked, { callId, questionId, method, params })
      .catch((err: unknown) => this.log.warn({ err }, 'a question was told to the waiting replica alone'));
    return (await answer) ?? noAnswer(method);
  }

  /**
   * An event of a call that another worker's child runs. A question of it stops the call's clock here; false where there is
   * no place for it, which the child is told in the place of the client.
   */
  noted(callId: string, event: ToolCallEvent): boolean {
    const asking = this.calls.get(callId);
    if (event.kind !== 'question' || !asking || asking.open.has(event.questionId)) return true;
    const full = this.fullPlaceOf(asking);
    if (!full) return (void this.wait(asking, event.questionId), true);
    const { questionId } = event;
    const answer = this.refuse(callId, full);
    const seal = sealAnswer(this.sealer, { id1: callId, id2: questionId, answer });
    this.queue
      .publish(topics.questionAnswered, { callId, questionId, answer, seal })
      .catch((err: unknown) => this.log.warn({ err }, 'a question was refused, and its child not told'));
    return false;
  }

  /** A call that waits already takes no more place by another question. */
  private fullPlaceOf(asking: Asking): Place | undefined {
    if (asking.open.size > 0) return undefined;
    const waiting = [...this.calls.values()].filter(({ open }) => open.size > 0);
    const taken = (key: string) =>
      waiting.filter(({ places }) => places.some((one) => one.key === key)).length;
    return asking.places.find(({ key, most }) => taken(key) >= most);
  }

  private refuse(callId: string, { key, what }: Place): QuestionAnswer {
    this.log.warn({ callId, place: key }, 'a question was refused: too many are open');
    return { error: { code: INTERNAL_ERROR, message: `Too many questions ${what} are open already.` } };
  }

  private wait(asking: Asking, questionId: string, signal?: AbortSignal): Promise<QuestionAnswer | null> {
    for (const clock of asking.clocks) clock.pause();
    return new Promise<QuestionAnswer | null>((resolve) => {
      const settle = (answer: QuestionAnswer | null): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        asking.open.delete(questionId);
        if (asking.open.size === 0) for (const clock of asking.clocks) clock.resume();
        resolve(answer);
      };
      const giveUp = (): void => settle(null);
      const timer = setTimeout(giveUp, this.limitMs);
      signal?.addEventListener('abort', giveUp, { once: true });
      asking.open.set(questionId, settle);
    });
  }

  private answered({ callId, questionId, answer, seal }: Answered): void {
    const settle = this.calls.get(callId)?.open.get(questionId);
    if (!settle) return;
    if (verifyAnswer(this.sealer, { id1: callId, id2: questionId, answer }, seal)) settle(answer);
    else this.log.error({ callId }, 'an answer without a valid seal was dropped');
  }

  /** A call that goes on without its caller is told that nobody answers. */
  private callerLeft(callId: string): void {
    const asking = this.calls.get(callId);
    if (!asking) return;
    asking.hasCallerLeft = true;
    for (const settle of [...asking.open.values()]) settle(null);
  }
}

function newAsking(): Asking {
  return { clocks: [], open: new Map(), hasCallerLeft: false, places: [], users: 0 };
}

/** What an upstream hears that gets no answer: a person who closed the form, or an error where there is no such word. */
function noAnswer(method: Question['method']): QuestionAnswer {
  if (method === 'elicitation/create') return { result: { action: 'cancel' } };
  return { error: { code: INTERNAL_ERROR, message: 'The client gave no answer.' } };
}
