import { describe, expect, it } from '@jest/globals';
import { DEFAULT_LIST_LIMITS, listTools, type ListLimits } from './list-tools.js';

const tool = (name: string, more: object = {}) => ({ name, inputSchema: { type: 'object' }, ...more });
const list = (pages: Record<string, unknown>, limits: Partial<ListLimits> = {}) =>
  listTools((cursor) => Promise.resolve(pages[cursor ?? 'first']), { ...DEFAULT_LIST_LIMITS, ...limits });
const neverEnds = expect.objectContaining({
  failure: expect.objectContaining({
    error: expect.objectContaining({ details: expect.objectContaining({ reason: 'list_never_ends' }) }),
  }),
});

describe('listTools', () => {
  it('follows every page', async () => {
    const pages = {
      first: { tools: [tool('a')], nextCursor: '2' },
      2: { tools: [], nextCursor: '' },
      '': { tools: [tool('b')] },
    };
    expect((await list(pages)).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('keeps wire objects as they are, and leaves out what cannot be called', async () => {
    const odd = tool('odd', { vendor: [1], inputSchema: { 'x-y': { z: 1 } } });
    expect(await list({ first: { tools: [odd, { name: 'no schema' }, tool(''), null, 'x'] } })).toEqual([
      odd,
    ]);
  });

  it('leaves out a tool that is nested too deeply to be handled', async () => {
    const deep = JSON.parse(`${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`) as object;
    expect(await list({ first: { tools: [tool('deep', { inputSchema: deep }), tool('a')] } })).toHaveLength(
      1,
    );
  });

  it.each<[string, Record<string, unknown>, Partial<ListLimits>]>([
    [
      'a cursor that returns',
      {
        first: { tools: [], nextCursor: 'a' },
        a: { tools: [], nextCursor: 'b' },
        b: { tools: [], nextCursor: 'a' },
      },
      {},
    ],
    [
      'a cursor that stays',
      { first: { tools: [tool('a')], nextCursor: 'x' }, x: { tools: [tool('a')], nextCursor: 'x' } },
      {},
    ],
    [
      'too many pages',
      { first: { tools: [], nextCursor: 'a' }, a: { tools: [], nextCursor: 'b' }, b: { tools: [] } },
      { maxPages: 2 },
    ],
    ['too many tools', { first: { tools: [tool('a'), tool('b')] } }, { maxTools: 1 }],
    [
      'too many bytes',
      { first: { tools: [tool('a', { description: 'x'.repeat(100) })], nextCursor: 'a' }, a: { tools: [] } },
      { maxBytes: 50 },
    ],
  ])('ends a list with %s', (_, pages, limits) => expect(list(pages, limits)).rejects.toEqual(neverEnds));

  it.each([undefined, {}, { tools: 'x' }, []])('refuses %j for a page', (page) =>
    expect(list({ first: page })).rejects.toMatchObject({
      failure: { error: { code: 'upstream_protocol_error' } },
    }),
  );
});
