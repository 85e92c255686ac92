import type { ChatChunk } from '@switchyard/models';
import type { RunWords } from '../../watch/run-watcher.js';

type Kind = RunWords['kind'];
const kinds: readonly Kind[] = ['reasoning', 'text'];

/**
 * The words of one step as a client has them: first as they are said, then as the step's row has them. Where they were
 * taken back, because another runner asked the model again, the client forgets them.
 */
export class StepWords {
  #fence = 0;
  #shown: Record<Kind, string> = { reasoning: '', text: '' };
  readonly #open = new Set<Kind>();
  #isTaken = false;

  constructor(private readonly position: number) {}

  /** `gap`: words before these were not heard. */
  hear({ fence, kind, at, words }: RunWords): ChatChunk[] | 'gap' {
    if (this.#isTaken || fence < this.#fence) return [];
    const again = fence > this.#fence ? this.#takeBack() : [];
    this.#fence = fence;
    const known = this.#shown[kind].length;
    if (at > known) return again.length > 0 ? again : 'gap';
    return [...again, ...this.#say(kind, words.slice(known - at))];
  }

  /** What the row has is the truth, and nothing follows it. */
  settle(final: Record<Kind, string>): ChatChunk[] {
    if (this.#isTaken) return [];
    const isSame = kinds.every((kind) => final[kind].startsWith(this.#shown[kind]));
    const again = isSame ? [] : this.#takeBack();
    const rest = kinds.flatMap((kind) => this.#say(kind, final[kind].slice(this.#shown[kind].length)));
    this.#isTaken = true;
    return [...again, ...rest, ...this.#closeAll()];
  }

  #takeBack(): ChatChunk[] {
    const hadSaid = this.#shown.reasoning !== '' || this.#shown.text !== '';
    this.#shown = { reasoning: '', text: '' };
    this.#open.clear();
    return hadSaid ? [{ type: 'reset-step' }] : [];
  }

  #say(kind: Kind, words: string): ChatChunk[] {
    if (words === '') return [];
    const id = this.#idOf(kind);
    const start: ChatChunk[] = this.#open.has(kind) ? [] : [{ type: `${kind}-start`, id }];
    this.#open.add(kind);
    this.#shown[kind] += words;
    return [...start, { type: `${kind}-delta`, id, delta: words }];
  }

  #closeAll(): ChatChunk[] {
    return [...this.#open].map((kind) => ({ type: `${kind}-end`, id: this.#idOf(kind) }));
  }

  #idOf(kind: Kind): string {
    return `${kind}-${this.position}-${this.#fence}`;
  }
}
