import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type MessageOf, type QuestionAnswer, topics } from '@switchyard/contracts';
import { QueueClient, sealAnswer, Sealer } from '@switchyard/queue';
import { LruMap } from './lru-map.js';

/** What the upstream of a call asks its client. */
export type Question = Omit<MessageOf<typeof topics.questionAsked>, 'callId'>;

/** Calls whose open questions are remembered; a question is open for ten minutes at most. */
const keptCalls = 2_000;

/**
 * The questions that upstreams ask in the middle of calls, and their answers. Every replica hears of every question, since a
 * client's retry may come to any.
 */
@Injectable()
export class Questions implements OnModuleInit {
  /** By call and question; null once answered: the news that it was asked may come later than that. */
  readonly #open = new LruMap<string, Map<string, Question | null>>(keptCalls);
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
  }

  /** Remembers a question that came another way than the topic's; the same one twice is one. */
  asked(callId: string, { questionId, method, params }: Question): void {
    const open = this.#open.get(callId) ?? new Map<string, Question | null>();
    if (open.has(questionId)) return;
    this.#open.set(callId, open.set(questionId, { questionId, method, params }));
    this.#tell(callId);
  }

  /** What the call's client has not answered yet. */
  open(callId: string): Question[] {
    return [...(this.#open.get(callId)?.values() ?? [])].filter((question) => question !== null);
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

  /** The call ended. */
  forget(callId: string): void {
    this.#open.delete(callId);
  }

  #answered(callId: string, questionId: string): void {
    const open = this.#open.get(callId) ?? new Map<string, Question | null>();
    const wasOpen = Boolean(open.get(questionId));
    this.#open.set(callId, open.set(questionId, null));
    if (wasOpen) this.#tell(callId);
  }

  #tell(callId: string): void {
    for (const fn of [...(this.#watchers.get(callId) ?? [])]) fn();
  }
}
