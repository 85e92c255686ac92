import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineTool, isLocalTool } from './define-tool.js';

const right = { name: 'add', description: 'Adds.', input: z.object({}), handler: () => 'x' };

describe('defineTool', () => {
  it('makes what a folder may export, and nothing else is that', () => {
    expect(isLocalTool(defineTool(right))).toBe(true);
    for (const other of [right, null, 'add', () => right]) expect(isLocalTool(other)).toBe(false);
  });

  it.each([
    ['a tool’s name', { name: 'a b' }, /"a b" has a wrong name/],
    ['a description', { description: ' ' }, /"add" has no description/],
    ['an input', { input: undefined }, /"add" has an input/],
    ['an object for an input', { input: z.string() }, /"add" has an input/],
    ['an object for an output', { output: z.array(z.string()) }, /"add" has an output/],
    ['a policy that there is', { policy: 'always' }, /"add" has a policy/],
    ['a handler', { handler: undefined }, /"add" has no handler/],
  ])('wants %s', (_what, wrong, says) => {
    expect(() => defineTool({ ...right, ...wrong } as never)).toThrow(says);
  });
});
