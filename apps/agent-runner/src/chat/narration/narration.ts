import { PlatformError } from '@switchyard/contracts';
import type { ChatChunk, ChatMetadata } from '@switchyard/models';
import { callIdOf } from '../../calls/run-ids.js';
import type { RunWords } from '../../watch/run-watcher.js';
import type { RunFrame, WatchedCall, WatchedRun } from '../../watch/watched-runs.repository.js';
import { CallNarration, type KnownCall } from './call-narration.js';
import { finishReasonOf } from './finish-reason.js';
import { ReauthNarration } from './reauth-narration.js';
import { StepWords } from './step-words.js';

/** What a client's message has of the run already; a client that has nothing is told all. */
export type KnownMessage = {
  /** How many steps it has: all but the last one are over. */
  readonly steps: number;
  /** By the `toolCallId` of the client. */
  readonly calls: ReadonlyMap<string, KnownCall>;
  /** By integration that it shows as one to connect: the `toolCallId` of which it speaks. */
  readonly reauths: ReadonlyMap<string, string>;
};

type Step = { readonly position: number; readonly words: StepWords };

/**
 * A run as a client is told of it, in chunks of `ai`'s UI message stream. Told out of rows alone, or out of words and then rows, in
 * one sitting or in several: the client's message is the same, but for the requests for approval that are decided.
 */
export class Narration {
  readonly #calls = new Map<string, CallNarration>();
  readonly #known: KnownMessage | undefined;
  readonly #reauths: ReauthNarration;
  #frame: RunFrame = { agent: null, plan: null };
  #step: Step | undefined;
  #told: WatchedRun['state'] | undefined;

  constructor(known?: KnownMessage) {
    this.#known = known;
    this.#reauths = new ReauthNarration(known?.reauths);
    const last = (known?.steps ?? 0) - 1;
    if (last >= 0) this.#step = knownStep(last);
  }

  /** The step from which on rows are needed. */
  get from(): number {
    return this.#step?.position ?? 0;
  }

  get isPlanned(): boolean {
    return this.#frame.plan !== null;
  }

  /** What the run was planned with, as soon as it is there; before the first row of a step is told. */
  plan(frame: RunFrame): void {
    this.#frame = frame;
  }

  start(run: WatchedRun): ChatChunk {
    this.#told = run.state;
    return { type: 'start', messageId: run.id, messageMetadata: this.#metadata(run) };
  }

  /** Where the run stands, if that is not what the client was told last. */
  state(run: WatchedRun): ChatChunk[] {
    if (run.state === this.#told) return [];
    this.#told = run.state;
    return [{ type: 'message-metadata', messageMetadata: this.#metadata(run) }];
  }

  /** What is durable and not told yet. */
  rows(run: WatchedRun): ChatChunk[] {
    return run.steps
      .filter(({ position }) => position >= this.from)
      .flatMap(({ position, answer }) => [
        ...this.#enter(position),
        ...(this.#step?.words.settle({ reasoning: answer?.reasoning ?? '', text: answer?.text ?? '' }) ?? []),
        ...this.#callsOf(run, position),
      ]);
  }

  #callsOf(run: WatchedRun, position: number): ChatChunk[] {
    const calls = run.calls.filter(({ step }) => step === position);
    const told = calls.flatMap((call) => this.#callOf(run, call).tell(call));
    const connectable = calls.map((call) => ({ call, ...this.#named(run, call) }));
    return [...told, ...this.#reauths.tell(connectable)];
  }

  /** What the model says now. `ahead`: of a step whose predecessor's row was not told yet. `gap`: not all was heard. */
  words(words: RunWords, stepsDurable: number): ChatChunk[] | 'ahead' | 'gap' {
    if (words.step < stepsDurable) return [];
    if (words.step > stepsDurable) return 'ahead';
    const entered = this.#enter(words.step);
    const said = this.#step?.words.hear(words) ?? [];
    if (said === 'gap') return entered.length > 0 ? entered : 'gap';
    return [...entered, ...said];
  }

  /** The run is over, or waits for somebody and the client does not. */
  end(run: WatchedRun): ChatChunk[] {
    const messageMetadata = this.#metadata(run);
    const step: ChatChunk[] = this.#step ? [{ type: 'finish-step' }] : [];
    if (run.state === 'failed') {
      const { message } = run.error ?? new PlatformError('internal').toInfo();
      return [...step, { type: 'message-metadata', messageMetadata }, { type: 'error', errorText: message }];
    }
    if (run.state === 'cancelled')
      return [...step, { type: 'message-metadata', messageMetadata }, { type: 'abort', reason: 'cancelled' }];
    const finish: ChatChunk = { type: 'finish', finishReason: finishReasonOf(run), messageMetadata };
    return [...rawResults(run), ...step, finish];
  }

  #enter(position: number): ChatChunk[] {
    if (this.#step?.position === position) return [];
    const left: ChatChunk[] = this.#step ? [{ type: 'finish-step' }] : [];
    this.#step = { position, words: new StepWords(position) };
    return [...left, { type: 'start-step' }];
  }

  #callOf(run: WatchedRun, watched: WatchedCall): CallNarration {
    const named = this.#named(run, watched);
    const { toolCallId } = named;
    const known = this.#calls.get(toolCallId);
    if (known) return known;
    const { agent } = this.#frame;
    const call = new CallNarration({ ...named, agent }, this.#known?.calls.get(toolCallId));
    this.#calls.set(toolCallId, call);
    return call;
  }

  /** By its first id: a further attempt after connecting has another. */
  #named(run: WatchedRun, { step, position, asked, outwardName }: WatchedCall) {
    const toolCallId = callIdOf(run, { step, position, modelCallId: asked.id, attempt: 0 });
    const tool = this.#frame.plan?.tools.find((planned) => planned.outwardName === outwardName);
    return { toolCallId, tool };
  }

  #metadata({ id, conversationId, state, usage, error, createdAt }: WatchedRun): ChatMetadata {
    const { agent } = this.#frame;
    return {
      run_id: id,
      ...(conversationId !== null && { conversation_id: conversationId }),
      ...(agent && { agent: { id: agent.id, slug: agent.slug, name: agent.name } }),
      status: state,
      usage,
      ...(error && { error_code: error.code }),
      created_at: createdAt.toISOString(),
    };
  }
}

/** Its words, and those of all before it, are told. */
function knownStep(position: number): Step {
  const words = new StepWords(position);
  words.settle({ reasoning: '', text: '' });
  return { position, words };
}

/** The results are tool parts already; this says that nobody put them into words, and why. */
function rawResults({ output, id }: WatchedRun): ChatChunk[] {
  if (output?.kind !== 'tool_results') return [];
  const { code, message } = output.modelError ?? {};
  const model_error = code === undefined ? null : { code, message: message ?? '' };
  return [{ type: 'data-tool_results', id, data: { model_error } }];
}
