import { PlatformError } from '@switchyard/contracts';
import { type ChatChunk, type ChatStream, chatStream } from '@switchyard/models';
import type { ChatSettings } from '../config.js';
import type { WatchedRunsRepository } from '../watch/watched-runs.repository.js';
import type { ChatAnswer, ChatAnswers } from './chat-answers.service.js';
import type { ChatTurnTaken } from './chats.service.js';
import type { OpenChats } from './open-chats.service.js';
import type { RunStories } from './run-stories.service.js';

type Parts = {
  readonly open: OpenChats;
  readonly stories: RunStories;
  readonly answers: ChatAnswers;
  readonly runs: WatchedRunsRepository;
  readonly settings: ChatSettings;
};

export type ReplyTerms = {
  readonly userId: string;
  readonly holdsForApproval: boolean;
  /** Fires when the client has gone. Its run goes on. */
  readonly gone: AbortSignal;
};

/** How a run reaches the user who asked: as a stream, or as one answer at its end. */
export class ChatReplies {
  constructor(private readonly parts: Parts) {}

  /** A place among the user's open chats, taken before anything is done. Throws `rate_limited`. */
  admit(userId: string): { readonly signal: AbortSignal; readonly close: () => void } {
    return this.parts.open.open(userId);
  }

  stream(turn: ChatTurnTaken, terms: ReplyTerms): ChatStream {
    return chatStream(this.#chunks(turn, terms));
  }

  /** Waits until the run is over or waits for a person, for so long as the settings say. */
  async json(turn: ChatTurnTaken, { holdsForApproval, gone }: ReplyTerms): Promise<ChatAnswer> {
    const { stories, answers, runs, settings } = this.parts;
    const late = AbortSignal.timeout(settings.waitMs);
    const holdMs = holdsForApproval ? settings.waitMs : 0;
    const signal = AbortSignal.any([late, gone]);
    try {
      for await (const chunk of stories.tell(turn, { ...turn, holdMs, holdsForApproval, signal })) void chunk;
    } catch (thrown) {
      if (!late.aborted) throw thrown;
    }
    const run = await runs.find(turn.orgId, turn.runId);
    if (!run) throw new PlatformError('not_found');
    return answers.answer(run, turn.refused);
  }

  async *#chunks(turn: ChatTurnTaken, { holdsForApproval, gone }: ReplyTerms): AsyncGenerator<ChatChunk> {
    const { holdMs } = this.parts.settings;
    const telling = { ...turn, holdMs, holdsForApproval, signal: gone };
    for await (const chunk of this.parts.stories.tell(turn, telling)) {
      yield chunk;
      if (chunk.type === 'start') yield* turn.refused.map(refusedPart);
    }
  }
}

function refusedPart(data: ChatTurnTaken['refused'][number]): ChatChunk {
  return { type: 'data-approval_refused', id: `${data.approval_id}-refused`, data };
}
