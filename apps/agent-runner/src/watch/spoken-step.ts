import type { MessageOf, topics } from '@switchyard/contracts';
import type { AnswerPart } from '@switchyard/models';

type Words = MessageOf<(typeof topics)['runWords']>;
type Kind = Words['kind'];

/** `fence`: of the claim under which the model is asked. */
export type StepPlace = Pick<Words, 'runId' | 'fence' | 'step'>;

/** One claim asks less often than this. */
const mostAttempts = 1_000;

const coalesceMs = 50;
const againMs = 250;
/** In one message, so that most of them fit into a notification of PostgreSQL. */
const mostWords = 1_500;
/** Longer answers are seen when they are durable. */
const mostSaid = 262_144;
const kinds: readonly Kind[] = ['reasoning', 'text'];

/** What the model says in one step, as it is said on: some words at a time, and all again for who comes later. */
export class SpokenStep {
  #all: Record<Kind, string> = { reasoning: '', text: '' };
  #attempt = 0;
  #said: Record<Kind, number> = { reasoning: 0, text: 0 };
  #timer: NodeJS.Timeout | undefined;
  #saidAgainAt = 0;
  #isSending = false;
  #isOver = false;

  constructor(
    private readonly place: StepPlace,
    private readonly say: (words: Words) => Promise<void>,
  ) {}

  take(part: AnswerPart): void {
    if (part.type === 'tool_call_started') return;
    const room = mostSaid - this.#all[part.type].length;
    this.#all[part.type] += part.text.slice(0, Math.max(0, room));
    this.#sayIn(coalesceMs);
  }

  /** The model is asked again: what it said is forgotten, by those who heard it too. */
  begin(): void {
    this.#attempt++;
    this.#all = { reasoning: '', text: '' };
    this.#said = { reasoning: 0, text: 0 };
  }

  /** Somebody begins to watch in the middle. Those who heard it before know by its place that they did. */
  sayAgain(): void {
    const waitMs = Math.max(coalesceMs, this.#saidAgainAt + againMs - Date.now());
    setTimeout(() => {
      this.#saidAgainAt = Date.now();
      this.#said = { reasoning: 0, text: 0 };
      void this.#sayAll();
    }, waitMs).unref();
  }

  end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #sayIn(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#sayAll();
    }, ms);
  }

  /** One message after the other. What the bus loses, a watcher misses and asks for again. */
  async #sayAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    for (let words = this.#next(); words; words = this.#next()) await this.say(words);
    this.#isSending = false;
  }

  #next(): Words | undefined {
    const kind = kinds.find((one) => this.#said[one] < this.#all[one].length);
    if (this.#isOver || !kind) return undefined;
    const at = this.#said[kind];
    const words = this.#all[kind].slice(at, at + mostWords);
    this.#said[kind] += words.length;
    const fence = this.place.fence * mostAttempts + this.#attempt;
    return { ...this.place, fence, kind, at, words };
  }
}
