import { Injectable } from '@nestjs/common';
import { PlatformError, terminalRunStates } from '@switchyard/contracts';
import { type ChatChunk, type ChatMessage, toChatMessage } from '@switchyard/models';
import type { RunEvent, RunWatcher, RunWords } from '../watch/run-watcher.js';
import { RunWatch } from '../watch/run-watch.service.js';
import { type WatchedRun, WatchedRunsRepository } from '../watch/watched-runs.repository.js';
import { type KnownMessage, Narration } from './narration/narration.js';

export type RunName = { readonly orgId: string; readonly runId: string };

export type Telling = {
  readonly known?: KnownMessage;
  /** Calls about which the reader has decided a moment ago: the run's rows may not know it yet. */
  readonly decided?: ReadonlySet<string>;
  /**
   * How long to stay where the run waits for a person. An approval ends the story unless it is waited for too: the chats
   * of `ai` send the user's decision only once the stream has ended.
   */
  readonly holdMs: number;
  readonly holdsForApproval: boolean;
  readonly signal: AbortSignal;
};

const lookMs = 15_000;

/** Tells what happens in a run, from its beginning to its end or until it waits for a person. */
@Injectable()
export class RunStories {
  constructor(
    private readonly watch: RunWatch,
    private readonly runs: WatchedRunsRepository,
  ) {}

  /** Ends by itself. Throws the signal's reason. */
  async *tell(run: RunName, telling: Telling): AsyncGenerator<ChatChunk, void, undefined> {
    const watcher = this.watch.open(run.runId);
    try {
      yield* new Story(run, telling, { watcher, runs: this.runs }).chunks();
    } finally {
      watcher.close();
    }
  }

  /** The message that a client has of what is durable of the run. */
  async messageOf(run: WatchedRun): Promise<ChatMessage> {
    const narration = new Narration();
    const frame = await this.runs.frame(run.id);
    if (frame) narration.plan(frame);
    return toChatMessage([narration.start(run), ...narration.rows(run), ...narration.end(run)]);
  }
}

type Parts = { readonly watcher: RunWatcher; readonly runs: WatchedRunsRepository };

class Story {
  readonly #narration: Narration;
  #stepsDurable = 0;
  #waitsSince: number | undefined;

  constructor(
    private readonly name: RunName,
    private readonly telling: Telling,
    private readonly parts: Parts,
  ) {
    this.#narration = new Narration(telling.known);
  }

  async *chunks(): AsyncGenerator<ChatChunk, void, undefined> {
    let run = await this.#load();
    yield this.#narration.start(run);
    for (;;) {
      yield* this.#narration.rows(run);
      if (this.#isOver(run)) return yield* this.#narration.end(run);
      yield* this.#narration.state(run);
      const events = await this.parts.watcher.next(this.#waitMs(), this.telling.signal);
      const ahead = yield* this.#hear(events);
      if (events.length > 0 && !ahead && !events.some(({ type }) => type === 'changed')) continue;
      run = await this.#load();
      if (ahead) yield* this.#catchUp(run, events);
    }
  }

  /** Gives whether there were words of a step whose predecessor's row comes first. */
  *#hear(events: readonly RunEvent[]): Generator<ChatChunk, boolean, undefined> {
    let isAhead = false;
    for (const { words } of events.filter((event) => event.type === 'words')) {
      const told = this.#words(words);
      if (told === 'ahead') isAhead = true;
      else yield* told;
    }
    return isAhead;
  }

  *#catchUp(run: WatchedRun, events: readonly RunEvent[]): Generator<ChatChunk, void, undefined> {
    yield* this.#narration.rows(run);
    if (yield* this.#hear(events)) this.parts.watcher.askAgain();
  }

  #words(words: RunWords): ChatChunk[] | 'ahead' {
    const told = this.#narration.words(words, this.#stepsDurable);
    if (told !== 'gap') return told;
    this.parts.watcher.askAgain();
    return [];
  }

  async #load(): Promise<WatchedRun> {
    const { orgId, runId } = this.name;
    const { runs } = this.parts;
    const run = await runs.find(orgId, runId, this.#narration.from);
    if (!run) throw new PlatformError('not_found');
    if (!this.#narration.isPlanned) {
      const frame = await runs.frame(runId);
      if (frame) this.#narration.plan(frame);
    }
    const last = run.steps.at(-1);
    this.#stepsDurable = last ? last.position + 1 : this.#narration.from;
    return run;
  }

  #isOver(run: WatchedRun): boolean {
    if (terminalRunStates.includes(run.state)) return true;
    const waiting = this.#waitsFor(run);
    if (waiting === undefined) {
      this.#waitsSince = undefined;
      return false;
    }
    this.#waitsSince ??= Date.now();
    const { holdMs, holdsForApproval } = this.telling;
    if (waiting === 'approval' && !holdsForApproval) return true;
    return Date.now() - this.#waitsSince >= holdMs;
  }

  #waitsFor({ state, calls }: WatchedRun): 'approval' | 'reauth' | undefined {
    if (state === 'waiting_reauth') return 'reauth';
    if (state !== 'waiting_approval') return undefined;
    const { decided } = this.telling;
    const open = calls.filter((call) => call.state === 'waiting_approval');
    return open.every(({ callId }) => decided?.has(callId)) ? undefined : 'approval';
  }

  #waitMs(): number {
    if (this.#waitsSince === undefined) return lookMs;
    return Math.max(1, Math.min(lookMs, this.#waitsSince + this.telling.holdMs - Date.now()));
  }
}
