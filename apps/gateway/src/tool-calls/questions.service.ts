import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type MessageOf, type QuestionAnswer, topics } from '@switchyard/contracts';
import { QueueClient, sealAnswer, Sealer } from '@switchyard/queue';
import { LruMap } from '@switchyard/service-kit';

/** What the upstream of a call asks its client. */
export type Question = Omit<MessageOf<typeof topics.questionAsked>, 'callId'>;

/** Calls whose open questions are remembered, the newest of each; no question is open for longer than ten minutes. */
const keptCalls = 2_000;
const keptQuestions = 32;
const keptMs = 660_000;

type Asked = {
  /** By question; null once answered: the news that it was asked may come later than that. */
  readonly questions: Map<string, Question | null>;
  /** Forgets the call though nobody told of its end. */
  timer?: NodeJS.Timeout;
};

/**
 * The questions that upstreams ask in the middle of calls, and their answers. Every replica hears of every question, since a
 * client's retry may come to any.
 */
@Injectable()
export class Questions implements OnModuleInit {
  readonly #open = new LruMap<string, Asked>(keptCalls, ({ timer }) => clearTimeout(timer));
  readonly #watchers = new Map<string, Set<() => void>>();

  constructor(
    private readonly queue: QueueClient,
    private readonly sealer: Sealer,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.questionAsked, ({ callId, ...question }) =>
      this.asked(callId, question),
    );
    await this.queue.subscribe(topics.questionAnswered, ({ callId, questionId }) =>
      this.#answered(callId, questionId),
    );
    await this.queue.subscribe(topics.toolCallEnded, ({ callId }) => void this.#forget(callId));
  }

  /** Remembers a question that came another way than the topic's; the same one twice is one. */
  asked(callId: string, { questionId, method, params }: Question): void {
    if (this.#open.get(callId)?.questions.has(questionId)) return;
    this.#keep(callId, questionId, { questionId, method, params });
    this.#tell(callId);
  }

  /** What the call's client has not answered yet. */
  open(callId: string): Question[] {
    const questions = this.#open.get(callId)?.questions.values() ?? [];
    return [...questions].filter((question) => question !== null);
  }

  /** Passes a client's answer to the worker that holds the upstream's request. Rejects when the bus is down. */
  async answer(callId: string, questionId: string, answer: QuestionAnswer): Promise<void> {
    const seal = sealAnswer(this.sealer, { id1: callId, id2: questionId, answer });
    await this.queue.publish(topics.questionAnswered, { callId, questionId, answer, seal });
    this.#answered(callId, questionId);
  }

  /** Calls `fn` when a question of the call is asked or answered, until the returned function is called. */
  watch(callId: string, fn: () => void): () => void {
    const watchers = this.#watchers.get(callId) ?? new Set();
    this.#watchers.set(callId, watchers.add(fn));
    return () => {
      watchers.delete(fn);
      if (watchers.size === 0 && this.#watchers.get(callId) === watchers) this.#watchers.delete(callId);
    };
  }

  /** A call of this replica ended. The others, which heard of its questions too, are told. */
  ended(callId: string): void {
    if (!this.#forget(callId)) return;
    this.queue.publish(topics.toolCallEnded, { callId }).catch(() => undefined);
  }

  #answered(callId: string, questionId: string): void {
    const wasOpen = Boolean(this.#open.get(callId)?.questions.get(questionId));
    this.#keep(callId, questionId, null);
    if (wasOpen) this.#tell(callId);
  }

  #keep(callId: string, questionId: string, question: Question | null): void {
    const asked: Asked = this.#open.get(callId) ?? { questions: new Map() };
    const [oldest] = asked.questions.set(questionId, question).keys();
    if (asked.questions.size > keptQuestions && oldest !== undefined) asked.questions.delete(oldest);
    clearTimeout(asked.timer);
    asked.timer = setTimeout(() => this.#forget(callId), keptMs).unref();
    this.#open.set(callId, asked);
  }

  #forget(callId: string): boolean {
    const asked = this.#open.get(callId);
    clearTimeout(asked?.timer);
    this.#open.delete(callId);
    return asked !== undefined;
  }

  #tell(callId: string): void {
    for (const fn of [...(this.#watchers.get(callId) ?? [])]) fn();
  }
}
