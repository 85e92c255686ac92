import { describe, expect, it } from '@jest/globals';
import { callStates, callTransitions, canMove, isTerminal, terminalCallStates } from './call-states.js';

describe('the states of a tool call', () => {
  it('end in exactly the states that nothing leaves', () => {
    expect(terminalCallStates.toSorted()).toEqual([
      'cancelled',
      'completed',
      'denied',
      'expired',
      'failed',
      'outcome_unknown',
    ]);
  });

  it('lead from acceptance to every other state', () => {
    const reached = new Set(['accepted']);
    for (const state of reached)
      for (const next of callTransitions[state as keyof typeof callTransitions]) reached.add(next);
    expect([...reached].toSorted()).toEqual(callStates.toSorted());
  });

  it('never let a sent call expire, nor an unsent one be unknown', () => {
    expect(canMove('running', 'expired')).toBe(false);
    expect(canMove('queued', 'outcome_unknown')).toBe(false);
    expect(canMove('accepted', 'outcome_unknown')).toBe(false);
  });

  it('let nothing leave outcome_unknown, so that no retry can begin there', () => {
    expect(isTerminal('outcome_unknown')).toBe(true);
  });
});
