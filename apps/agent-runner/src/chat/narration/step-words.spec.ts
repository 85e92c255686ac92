import { describe, expect, it } from '@jest/globals';
import { StepWords } from './step-words.js';

const said = (at: number, words: string, fence = 1) =>
  ({ runId: 'r', step: 0, kind: 'text', fence, at, words }) as const;
const final = (text: string, reasoning = '') => ({ text, reasoning });

describe('the words of a step', () => {
  it('are said once, however often they are heard', () => {
    const step = new StepWords(0);
    expect(step.hear(said(0, 'one '))).toMatchObject([{ type: 'text-start' }, { delta: 'one ' }]);
    expect(step.hear(said(0, 'one two '))).toMatchObject([{ delta: 'two ' }]);
    expect(step.hear(said(0, 'one '))).toEqual([]);
    expect(step.hear(said(4, 'two '))).toEqual([]);
    expect(step.settle(final('one two three'))).toMatchObject([{ delta: 'three' }, { type: 'text-end' }]);
    expect(step.settle(final('one two three'))).toEqual([]);
    expect(step.hear(said(8, 'late'))).toEqual([]);
  });

  it('that follow words which were not heard are asked for again', () => {
    const step = new StepWords(0);
    expect(step.hear(said(4, 'two'))).toBe('gap');
    expect(step.hear(said(0, 'one two'))).toMatchObject([{ type: 'text-start' }, { delta: 'one two' }]);
  });

  it('of an earlier runner are taken back, and its late ones are not said', () => {
    const step = new StepWords(0);
    step.hear(said(0, 'first'));
    expect(step.hear(said(0, 'second', 2))).toMatchObject([
      { type: 'reset-step' },
      { type: 'text-start', id: 'text-0-2' },
      { delta: 'second' },
    ]);
    expect(step.hear(said(5, ' again', 1))).toEqual([]);
  });

  it('give way to what the row has, and to nothing where the model failed', () => {
    const step = new StepWords(0);
    step.hear(said(0, 'first'));
    expect(step.settle(final('Other.', 'Why.')).map(({ type }) => type)).toEqual([
      ...['reset-step', 'reasoning-start', 'reasoning-delta', 'text-start', 'text-delta'],
      ...['reasoning-end', 'text-end'],
    ]);
    const failed = new StepWords(1);
    failed.hear(said(0, 'half'));
    expect(failed.settle(final(''))).toEqual([{ type: 'reset-step' }]);
  });
});
