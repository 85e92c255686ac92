import { describe, expect, it } from '@jest/globals';
import type { ApprovalState } from '@switchyard/contracts';
import { settleDecisions } from './settle-decisions.js';

const id = 'a1';
const forbidden = { approval_id: id, code: 'forbidden', message: 'You may not.' };
const settle = (
  approved: boolean,
  state?: ApprovalState,
  { isTaken = false, refusal }: { isTaken?: boolean; refusal?: typeof forbidden } = {},
) => {
  const { over, refused } = settleDecisions([{ approvalId: id, approved }], {
    taken: new Set(isTaken ? [id] : []),
    refused: new Map(refusal ? [[id, refusal]] : []),
    states: new Map(state ? [[id, state]] : []),
  });
  return { isOver: over.has(id), refused };
};

describe('a user’s word about a call', () => {
  it('that was taken is what was decided', () => {
    expect(settle(true, undefined, { isTaken: true })).toEqual({ isOver: true, refused: [] });
  });

  it.each<[boolean, ApprovalState]>([
    [true, 'approved'],
    [false, 'denied'],
    [false, 'expired'],
    [false, 'cancelled'],
    [false, 'stale'],
  ])('(%s) that is what was decided (%s) is not refused', (approved, state) => {
    expect(settle(approved, state)).toEqual({ isOver: true, refused: [] });
    expect(settle(approved, state, { refusal: forbidden })).toEqual({ isOver: true, refused: [] });
  });

  it.each<[boolean, ApprovalState, string, string]>([
    [false, 'approved', 'conflict', 'approved already'],
    [true, 'denied', 'conflict', 'denied already'],
    [true, 'cancelled', 'conflict', 'cancelled already'],
    [true, 'expired', 'approval_expired', 'in time'],
    [true, 'stale', 'approval_stale', 'no longer'],
  ])('(%s) that is not what was decided (%s) is refused with %s', (approved, state, code, words) => {
    const message = expect.stringContaining(words);
    expect(settle(approved, state)).toEqual({ isOver: true, refused: [{ approval_id: id, code, message }] });
  });

  it('that dispatch refused may be said anew while the call waits, and not once it is over', () => {
    expect(settle(true, 'pending', { refusal: forbidden })).toEqual({ isOver: false, refused: [forbidden] });
    expect(settle(true, 'denied', { refusal: forbidden })).toEqual({ isOver: true, refused: [forbidden] });
  });

  it('about a call of which nobody knows says nothing', () => {
    expect(settle(true)).toEqual({ isOver: false, refused: [] });
  });
});
