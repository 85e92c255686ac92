import { describe, expect, it } from '@jest/globals';
import type { WireTool } from '@switchyard/contracts';
import { workOf } from '@switchyard/testing';
import { judgeList } from './listed-tool.js';

const object = { type: 'object' };
const modern = { mirrorsHeaders: true };

function problem(tool: Omit<WireTool, 'name'> & { name?: string }, context = modern): string | null {
  return judgeList('notes', [{ name: 'a', ...tool } as WireTool], context).tools[0]!.problem;
}

function annotated(schema: object, key = 'a'): { inputSchema: Record<string, unknown> } {
  return { inputSchema: { type: 'object', properties: { [key]: schema } } };
}

function nested(depth: number): object {
  return depth === 0 ? {} : { properties: { a: nested(depth - 1) } };
}

describe('judgeList', () => {
  it.each<[string, { inputSchema: Record<string, unknown> }]>([
    ['no properties', { inputSchema: object }],
    [
      '2020-12 keywords',
      {
        inputSchema: {
          type: 'object',
          $defs: { x: { type: 'string' } },
          properties: { a: { $ref: '#/$defs/x' }, b: true },
          required: ['a'],
          unevaluatedProperties: false,
        },
      },
    ],
    [
      'a reference to an embedded schema',
      {
        inputSchema: {
          type: 'object',
          $defs: { x: { $id: 'https://e.example/x.json' } },
          properties: { a: { $ref: 'https://e.example/x.json#' } },
        },
      },
    ],
    [
      'a default that looks like a reference',
      { inputSchema: { type: 'object', properties: { a: { default: { $ref: 'https://e.example' } } } } },
    ],
    ['an annotated string', annotated({ type: 'string', 'x-mcp-header': 'Region' })],
    [
      'an annotation deep down',
      annotated({ type: 'object', properties: { b: { type: 'integer', 'x-mcp-header': 'Region' } } }),
    ],
    ['a property that is called like the annotation', annotated({ type: 'string' }, 'x-mcp-header')],
    ['a backslash before what looks like NUL', annotated({ type: 'string', description: '\\u0000' })],
  ])('accepts %s', (_what, tool) => {
    expect(problem(tool)).toBeNull();
  });

  it.each<[string, { inputSchema: Record<string, unknown>; [key: string]: unknown }]>([
    ['another type than object', { inputSchema: { type: 'array' } }],
    ['no type', { inputSchema: {} }],
    ['properties that are a list', { inputSchema: { type: 'object', properties: [] } }],
    ['required that is no list', { inputSchema: { type: 'object', required: 'a' } }],
    ['a reference to the network', annotated({ $ref: 'https://e.example/x.json' })],
    ['a relative reference to nothing', annotated({ items: { $ref: 'x.json#/a' } })],
    ['endless nesting', { inputSchema: { type: 'object', ...nested(100) } }],
    [
      'nesting that would overflow the stack',
      { inputSchema: { type: 'object', ...JSON.parse(`${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`) } },
    ],
    ['too many bytes', { inputSchema: object, description: 'x'.repeat(300_000) }],
    ['NUL', { inputSchema: object, description: 'a\0b' }],
    ['half a surrogate pair', { inputSchema: object, title: '\ud800' }],
    ['an annotation with a blank', annotated({ type: 'string', 'x-mcp-header': 'My Region' })],
    ['an empty annotation', annotated({ type: 'string', 'x-mcp-header': '' })],
    ['an annotation that is no string', annotated({ type: 'string', 'x-mcp-header': 1 })],
    ['an annotated number', annotated({ type: 'number', 'x-mcp-header': 'Region' })],
    ['an annotated object', annotated({ type: 'object', 'x-mcp-header': 'Region' })],
    [
      'an annotation inside of items',
      annotated({ type: 'array', items: { type: 'string', 'x-mcp-header': 'Region' } }),
    ],
    ['an annotation inside of anyOf', annotated({ anyOf: [{ type: 'string', 'x-mcp-header': 'Region' }] })],
    ['an annotation of the whole', { inputSchema: { type: 'object', 'x-mcp-header': 'Region' } }],
    [
      'the same annotation in two cases',
      {
        inputSchema: {
          type: 'object',
          properties: {
            a: { type: 'string', 'x-mcp-header': 'R' },
            b: { type: 'string', 'x-mcp-header': 'r' },
          },
        },
      },
    ],
  ])('says what is wrong with %s', (_what, tool) => {
    expect(problem(tool)).toEqual(expect.any(String));
  });

  it.each<[string, (uri: string) => object]>([
    ['a reference', (uri) => ({ $ref: uri })],
    ['an $id', (uri) => ({ $id: uri })],
  ])('costs little for %s that is full of #', (_what, schema) => {
    const tool = annotated(schema(`${'#'.repeat(100_000)}\n`));
    expect(workOf(() => problem(tool))).toBeLessThan(200);
  });

  it('does not look at annotations where arguments do not travel as headers', () => {
    expect(problem(annotated({ type: 'number', 'x-mcp-header': '' }), { mirrorsHeaders: false })).toBeNull();
  });

  it('keeps nothing but the name of what cannot be used', () => {
    const [tool] = judgeList('notes', [{ name: 'a', description: 'x\0', inputSchema: object }], modern).tools;

    expect(tool).toMatchObject({ description: null, wire: { name: 'a', inputSchema: {} } });
  });

  it('drops doubles and names that are no text, and counts them', () => {
    const wires = ['a', 'b', 'a', 'c\0', 'x'.repeat(300)].map((name, index) => ({
      name,
      title: `${index}`,
      inputSchema: object,
    }));
    const { tools, dropped } = judgeList('notes', wires, modern);

    expect(tools.map(({ name, wire }) => [name, wire.title])).toEqual([
      ['a', '0'],
      ['b', '1'],
    ]);
    expect(dropped).toBe(3);
  });

  it('names tools by the slug', () => {
    expect(
      judgeList('halopsa', [{ name: 'list_tickets', inputSchema: object }], modern).tools[0]!.qualifiedName,
    ).toBe('halopsa.list_tickets');
  });
});
