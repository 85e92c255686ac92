import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { defineTool } from './define-tool.js';
import { runTool } from './run-tool.js';

const context = { caller: null, signal: new AbortController().signal };
const text = (value: string) => [{ type: 'text', text: value }];

function resultOf(handler: () => unknown, output?: z.ZodObject) {
  const tool = defineTool({ name: 'one', description: 'x', input: z.object({}), output, handler } as never);
  return runTool(tool, {}, context);
}

describe('runTool', () => {
  it('makes text of text and of values, and structured content of objects', async () => {
    expect(await resultOf(() => 'hello')).toEqual({ content: text('hello') });
    expect(await resultOf(() => [1, 2])).toEqual({ content: text('[1,2]') });
    expect(await resultOf(() => undefined)).toEqual({ content: [] });
    expect(await resultOf(async () => ({ at: new Date(0), no: undefined }))).toEqual({
      content: text('{"at":"1970-01-01T00:00:00.000Z"}'),
      structuredContent: { at: '1970-01-01T00:00:00.000Z' },
    });
  });

  it('passes on a result of MCP’s own form', async () => {
    const result = { content: [{ type: 'image', data: 'AA==', mimeType: 'image/png' }] };
    expect(await resultOf(() => result)).toEqual(result);
  });

  it('tells the message of what was thrown, and nothing of its stack', async () => {
    const thrown = Object.assign(new Error('No such account.'), { secret: 's' });
    const failing = await resultOf(() => Promise.reject(thrown));
    expect(failing).toEqual({ content: text('No such account.'), isError: true });
    expect(await resultOf(() => Promise.reject('odd'))).toEqual({ content: text('odd'), isError: true });
  });

  it('gives what the output schema describes, and refuses what it does not', async () => {
    const output = z.object({ days: z.int() });
    expect(await resultOf(() => ({ days: 1, extra: true }), output)).toMatchObject({
      structuredContent: { days: 1 },
    });
    const wrong = await resultOf(() => ({ days: 'many' }), output);
    expect(wrong).toMatchObject({ isError: true });
    expect(JSON.stringify(wrong)).toContain('does not match its output schema');
    const failure = { content: text('no'), isError: true };
    expect(await resultOf(() => failure, output)).toEqual(failure);
  });
});
