import { describe, expect, it } from '@jest/globals';
import type { ResolvedTool } from '@switchyard/access';
import { isSameList, resultText, toolList } from './tool-list.js';

function tool(outwardName: string, wire: object = {}, wireSha256 = 'a'): ResolvedTool {
  return {
    outwardName,
    wire: { name: outwardName, inputSchema: { type: 'object' }, ...wire },
    tool: { wireSha256 },
  } as unknown as ResolvedTool;
}

describe('toolList', () => {
  it('carries a text that says the same as its objects', () => {
    const list = toolList([tool('a_x'), tool('b_y', { title: 'Ünïcode "quoted"\n' })]);
    expect(JSON.parse(list[resultText]?.() ?? '')).toEqual({ tools: list.tools });
  });

  it('leaves the text to the SDK where an output schema has to be wrapped for legacy clients', () => {
    expect(toolList([tool('a_x', { outputSchema: { type: 'array' } })])[resultText]).toBeUndefined();
    expect(toolList([tool('a_x', { outputSchema: { type: 'object' } })])[resultText]).toBeDefined();
  });
});

describe('isSameList', () => {
  it('compares names and wire objects', () => {
    expect(isSameList([tool('a_x')], [tool('a_x')])).toBe(true);
    expect(isSameList([tool('a_x')], [tool('a_y')])).toBe(false);
    expect(isSameList([tool('a_x')], [tool('a_x', {}, 'b')])).toBe(false);
    expect(isSameList([tool('a_x')], [])).toBe(false);
  });
});
