import { Injectable } from '@nestjs/common';
import {
  type ErrorBody,
  errorBody,
  errorCatalog,
  type ErrorInfo,
  type RunState,
} from '@switchyard/contracts';
import type { ApprovalPart, ChatMessage, DecisionRefusedPart, ReauthPart } from '@switchyard/models';
import { type RunUsage, type WatchedRun, WatchedRunsRepository } from '../watch/watched-runs.repository.js';
import { type OutputAnswer, outputAnswer } from '../history/in-snake-case.js';
import { RunStories } from './run-stories.service.js';
import { type PendingTool, pendingTools } from './requests/pending-tools.js';

/** What a run came to, for who does not stream. */
export type ChatAnswer = {
  readonly run_id: string;
  readonly conversation_id: string | null;
  readonly status: RunState;
  readonly message: ChatMessage;
  readonly output: OutputAnswer;
  readonly error: ErrorBody | null;
  readonly usage: RunUsage;
  /** What the run waits for. */
  readonly pending: readonly (
    ({ type: 'approval_required' } & ApprovalPart) | ({ type: 'needs_reauth' } & ReauthPart)
  )[];
  /** Decisions of the request that were not taken. */
  readonly refused: readonly DecisionRefusedPart[];
  readonly extra_fields: { readonly pending_mcp_tools: readonly PendingTool[] };
};

/** Runs as one JSON answer. */
@Injectable()
export class ChatAnswers {
  constructor(
    private readonly runs: WatchedRunsRepository,
    private readonly stories: RunStories,
  ) {}

  async answer(run: WatchedRun, refused: readonly DecisionRefusedPart[]): Promise<ChatAnswer> {
    const message = await this.stories.messageOf(run);
    const plan = (await this.runs.frame(run.id))?.plan ?? null;
    return {
      run_id: run.id,
      conversation_id: run.conversationId,
      status: run.state,
      message,
      output: outputAnswer(run.output),
      error: run.error && failureBody(run.error),
      usage: run.usage,
      pending: pendingOf(message),
      refused,
      extra_fields: { pending_mcp_tools: pendingTools(run, plan) },
    };
  }
}

/** A model's provider names a time of what it refuses for good too; to try again then as it was would be in vain. */
function failureBody({ retryAfterMs, ...error }: ErrorInfo): ErrorBody {
  const isForLater = errorCatalog[error.code].retry === 'after_delay';
  return errorBody(isForLater ? { ...error, retryAfterMs } : error);
}

function pendingOf({ parts }: ChatMessage): ChatAnswer['pending'] {
  return parts.flatMap((part): ChatAnswer['pending'] => {
    if (part.type === 'data-approval_required' && part.data.state === 'waiting')
      return [{ type: 'approval_required', ...part.data }];
    if (part.type === 'data-needs_reauth' && part.data.state === 'waiting')
      return [{ type: 'needs_reauth', ...part.data }];
    return [];
  });
}
