import { type ApprovalState, PlatformError } from '@switchyard/contracts';
import type { DecisionRefusedPart } from '@switchyard/models';

/** What a user says about a call that waits, or that waited as far as their client knows. */
export type UsersWord = { readonly approvalId: string; readonly approved: boolean };

export type Decided = {
  /** Ids of calls that wait no more, by this user's word or by another that came before it. */
  readonly over: ReadonlySet<string>;
  /** Words that were not taken and are not what was decided. */
  readonly refused: readonly DecisionRefusedPart[];
};

/** What dispatch and its ledger say of the words, by approval. */
export type Verdicts = {
  readonly taken: ReadonlySet<string>;
  readonly refused: ReadonlyMap<string, DecisionRefusedPart>;
  /** Of those that were not taken. */
  readonly states: ReadonlyMap<string, ApprovalState>;
};

/**
 * The first word about a call stands. Whoever says the same later is not refused, and whoever says otherwise is told so, whether
 * they asked at the same instant or long after: their client would go on showing what nobody decided.
 */
export function settleDecisions(words: readonly UsersWord[], { taken, refused, states }: Verdicts): Decided {
  const over = new Set(taken);
  const refusals: DecisionRefusedPart[] = [];
  for (const { approvalId, approved } of words.filter((word) => !taken.has(word.approvalId))) {
    const state = states.get(approvalId) ?? 'pending';
    const isOver = state !== 'pending';
    if (isOver) over.add(approvalId);
    const isSame = isOver && approved === (state === 'approved');
    const refusal = refused.get(approvalId) ?? (isOver ? tooLate(approvalId, state) : undefined);
    if (refusal && !isSame) refusals.push(refusal);
  }
  return { over, refused: refusals };
}

function tooLate(approvalId: string, state: ApprovalState): DecisionRefusedPart {
  const { code, message } = whyTooLate(state);
  return { approval_id: approvalId, code, message };
}

function whyTooLate(state: ApprovalState): PlatformError {
  if (state === 'expired') return new PlatformError('approval_expired');
  if (state === 'stale') return new PlatformError('approval_stale');
  return new PlatformError('conflict', { message: `The call was ${state} already.` });
}
