import { describe, expect, it } from '@jest/globals';
import { canRunMove, runStates, runTransitions, terminalRunStates } from './runs.js';

describe('the states of a run', () => {
  it('end in three ways, and nothing leaves an end', () => {
    expect(terminalRunStates).toEqual(['completed', 'failed', 'cancelled']);
    for (const from of terminalRunStates)
      for (const to of runStates) expect(canRunMove(from, to)).toBe(false);
  });

  it('let a run be cancelled from wherever it has not ended', () => {
    for (const state of runStates.filter((one) => !terminalRunStates.includes(one)))
      expect(canRunMove(state, 'cancelled')).toBe(true);
  });

  it('let a run that waits for somebody go on through the queue alone', () => {
    expect(canRunMove('waiting_approval', 'running')).toBe(false);
    expect(canRunMove('waiting_reauth', 'running')).toBe(false);
    for (const targets of Object.values(runTransitions))
      for (const to of targets) expect(runStates).toContain(to);
  });
});
