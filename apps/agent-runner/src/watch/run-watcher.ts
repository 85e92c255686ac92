import type { MessageOf, topics } from '@switchyard/contracts';

export type RunWords = MessageOf<(typeof topics)['runWords']>;
/** `changed`: the rows have something new. */
export type RunEvent = { readonly type: 'changed' } | { readonly type: 'words'; readonly words: RunWords };

/** A client that reads slowly loses words, and has them from the step's row. */
const mostWords = 262_144;

/** One watcher of a run: keeps what happened until it is asked for. */
export class RunWatcher {
  #words: RunWords[] = [];
  #length = 0;
  #hasChanged = false;
  #wake: () => void = () => undefined;

  constructor(
    /** Has all words of the step under way said again. */
    readonly askAgain: () => void,
    readonly close: () => void,
  ) {}

  hear(event: RunEvent): void {
    if (event.type === 'changed') this.#hasChanged = true;
    else if (this.#length < mostWords) {
      this.#words.push(event.words);
      this.#length += event.words.words.length;
    }
    this.#wake();
  }

  /** What happened since the last time, waited for if need be; nothing where the time is over. Throws the signal's reason. */
  async next(waitMs: number, signal: AbortSignal): Promise<RunEvent[]> {
    signal.throwIfAborted();
    if (!this.#hasChanged && this.#words.length === 0) await this.#wait(waitMs, signal);
    const words = this.#words.map((one) => ({ type: 'words', words: one }) as const);
    const events: RunEvent[] = this.#hasChanged ? [...words, { type: 'changed' }] : words;
    this.#words = [];
    this.#length = 0;
    this.#hasChanged = false;
    return events;
  }

  async #wait(waitMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    const stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    this.#wake = resolve;
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }
}
