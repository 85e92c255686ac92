import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { SpokenStep } from './spoken-step.js';

type Words = Parameters<ConstructorParameters<typeof SpokenStep>[1]>[0];

function speak() {
  const said: Words[] = [];
  const step = new SpokenStep({ runId: 'r', fence: 3, step: 1 }, async (words) => void said.push(words));
  const text = () => said.map(({ words }) => words).join('');
  return { said, step, text };
}

describe('what a model says', () => {
  it('is said on in few messages, each with its place, none too long', async () => {
    const { said, step, text } = speak();
    const words = Array.from({ length: 500 }, (_, n) => `word ${n} 😀`);
    for (const word of words) step.take({ type: 'text', text: word });
    step.take({ type: 'reasoning', text: 'why' });
    await eventually(() => text().length === words.join('').length + 3);
    expect(said.length).toBeLessThan(8);
    expect(said.map(({ words: { length } }) => length > 1_500)).not.toContain(true);
    expect(said[0]).toEqual({ runId: 'r', fence: 3_000, step: 1, kind: 'reasoning', at: 0, words: 'why' });
    const spoken = said.filter(({ kind }) => kind === 'text');
    expect(spoken.map(({ words: part }) => part).join('')).toBe(words.join(''));
    expect(spoken.map(({ at }) => at)).toEqual(spoken.map((_, n) => n * 1_500));
  });

  it('is said from its beginning to who watches later', async () => {
    const { said, step, text } = speak();
    step.take({ type: 'text', text: 'one ' });
    await eventually(() => text() === 'one ');
    step.take({ type: 'text', text: 'two' });
    await eventually(() => text() === 'one two');
    step.sayAgain();
    await eventually(() => said.length === 3);
    expect(said[2]).toMatchObject({ at: 0, words: 'one two' });
  });

  it('begins anew where the model is asked again', async () => {
    const { said, step } = speak();
    step.take({ type: 'text', text: 'half' });
    await eventually(() => said.length === 1);
    step.begin();
    step.take({ type: 'text', text: 'whole' });
    await eventually(() => said.length === 2);
    expect(said[1]).toMatchObject({ fence: 3_001, at: 0, words: 'whole' });
  });

  it('ends with the step', async () => {
    const { said, step } = speak();
    step.take({ type: 'text', text: 'x'.repeat(300_000) });
    await eventually(() => said.length > 100);
    step.end();
    expect(said.reduce((sum, { words }) => sum + words.length, 0)).toBeLessThanOrEqual(262_144);
  });
});
