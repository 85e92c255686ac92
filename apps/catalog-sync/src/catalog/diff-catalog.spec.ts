import { describe, expect, it } from '@jest/globals';
import { diffCatalog, type StoredTool } from './diff-catalog.js';
import { judgeList, type ListedTool } from './listed-tool.js';

const schema = { type: 'object', properties: { a: { type: 'string' } } };

function list(...names: string[]): readonly ListedTool[] {
  return judgeList(
    'notes',
    names.map((name) => ({ name, inputSchema: schema })),
    { mirrorsHeaders: false },
  ).tools;
}

function stored(tools: readonly ListedTool[], overrides: Partial<StoredTool> = {}): StoredTool[] {
  return tools.map(({ name, qualifiedName, wireSha256, warnings }) => ({
    name,
    qualifiedName,
    wireSha256,
    warnings,
    disabledReason: null,
    disabledDetail: null,
    ...overrides,
  }));
}

describe('diffCatalog', () => {
  it('writes every tool of a first list', () => {
    expect(diffCatalog([], list('a', 'b'))).toMatchObject({
      writes: [{ name: 'a', disabledReason: null }, { name: 'b' }],
      vanished: [],
      toolCount: 2,
      isChanged: true,
    });
  });

  it('writes nothing for an unchanged list', () => {
    expect(diffCatalog(stored(list('a', 'b')), list('b', 'a'))).toEqual({
      writes: [],
      vanished: [],
      toolCount: 2,
      isChanged: false,
    });
  });

  it('takes an honest empty list', () => {
    expect(diffCatalog(stored(list('a')), [])).toEqual({
      writes: [],
      vanished: ['a'],
      toolCount: 0,
      isChanged: true,
    });
  });

  it('disables what vanished, once', () => {
    expect(diffCatalog(stored(list('a', 'b')), list('a'))).toMatchObject({ vanished: ['b'], toolCount: 1 });
    expect(diffCatalog(stored(list('b'), { disabledReason: 'vanished' }), [])).toMatchObject({
      vanished: [],
      isChanged: false,
    });
  });

  it('enables what returned', () => {
    expect(diffCatalog(stored(list('a'), { disabledReason: 'vanished' }), list('a'))).toMatchObject({
      writes: [{ name: 'a', disabledReason: null }],
      toolCount: 1,
    });
  });

  it.each([
    ['gone', [], []],
    ['there', list('a'), []],
  ])('leaves off what an admin switched off while it is %s', (_what, listed) => {
    const diff = diffCatalog(stored(list('a'), { disabledReason: 'admin' }), listed);

    expect(diff).toMatchObject({ writes: [], vanished: [], toolCount: 0 });
  });

  it('updates what an admin switched off, and leaves it off', () => {
    const changed = judgeList('notes', [{ name: 'a', description: 'new', inputSchema: schema }], {
      mirrorsHeaders: false,
    }).tools;

    expect(diffCatalog(stored(list('a'), { disabledReason: 'admin' }), changed)).toMatchObject({
      writes: [{ disabledReason: 'admin' }],
      toolCount: 0,
    });
  });

  it('renames its tools with the integration', () => {
    expect(diffCatalog(stored(list('a'), { qualifiedName: 'old.a' }), list('a'))).toMatchObject({
      writes: [{ qualifiedName: 'notes.a' }],
    });
  });

  it.each([
    ['description', { description: 'new' }],
    ['title', { title: 'new' }],
    [
      'nested schema',
      { inputSchema: { type: 'object', properties: { a: { type: 'string', enum: ['x'] } } } },
    ],
    ['output schema', { outputSchema: { type: 'object' } }],
    ['annotation', { annotations: { readOnlyHint: true } }],
    ['_meta', { _meta: { a: { b: 1 } } }],
    ['unknown member', { icons: [{ src: 'data:,' }] }],
  ])('sees a changed %s', (_what, change) => {
    const changed = judgeList('notes', [{ name: 'a', inputSchema: schema, ...change }], {
      mirrorsHeaders: false,
    }).tools;

    expect(diffCatalog(stored(list('a')), changed)).toMatchObject({
      writes: [{ name: 'a' }],
      isChanged: true,
    });
  });

  it('does not mind the order of keys', () => {
    const reordered = judgeList(
      'notes',
      [{ inputSchema: { properties: { a: { type: 'string' } }, type: 'object' }, name: 'a' }],
      { mirrorsHeaders: false },
    ).tools;

    expect(diffCatalog(stored(list('a')), reordered).isChanged).toBe(false);
  });

  it('keeps a tool that cannot be used, switched off with the reason', () => {
    const unusable = judgeList('notes', [{ name: 'a', inputSchema: { type: 'string' } }], {
      mirrorsHeaders: false,
    }).tools;
    const diff = diffCatalog(stored(list('a')), unusable);

    expect(diff).toMatchObject({
      writes: [
        {
          disabledReason: 'invalid_schema',
          disabledDetail: expect.stringContaining('object') as unknown as string,
        },
      ],
      toolCount: 0,
    });
  });
});
