import { describe, expect, it } from '@jest/globals';
import { workOf } from '@switchyard/testing';
import { createLogger } from '@switchyard/service-kit';
import { ArgumentValidator, type CheckedTool } from './argument-validator.js';

let hashes = 0;

function tool(inputSchema: CheckedTool['inputSchema']): CheckedTool {
  return { key: String(hashes++), name: 'search', integration: 'web', inputSchema };
}

const validator = new ArgumentValidator(createLogger('test', { level: 'silent' }));
const search = tool({
  type: 'object',
  properties: {
    query: { type: 'string' },
    limit: { type: 'integer', maximum: 10 },
    sort: { enum: ['new', 'old'] },
  },
  required: ['query'],
  additionalProperties: false,
});

function errorsOf(resolved: CheckedTool, args: Record<string, unknown>) {
  return validator.check(resolved, args)?.details?.['errors'];
}

describe('ArgumentValidator', () => {
  it('lets fitting arguments pass', () => {
    expect(validator.check(search, { query: 'x', limit: 3 })).toBeUndefined();
  });

  it('says what is wrong and where, for people and programs', () => {
    const error = validator.check(search, { limit: 50, sort: 'up', extra: true });
    expect(error).toMatchObject({ code: 'tool_arguments_invalid' });
    expect(error?.details).toEqual({
      errors: expect.arrayContaining([
        { path: '', message: "must have required property 'query'" },
        { path: '', message: 'must NOT have additional properties: extra' },
        { path: '/limit', message: 'must be <= 10' },
        { path: '/sort', message: 'must be equal to one of the allowed values: ["new","old"]' },
      ]),
    });
    expect(error?.message).toContain('/limit: must be <= 10');
  });

  it('reports five errors at most, and no value', () => {
    const list = tool({ type: 'object', properties: { ids: { type: 'array', items: { type: 'number' } } } });
    const error = validator.check(list, { ids: Array.from({ length: 50 }, () => 'secret-value') });
    expect(error?.details?.['errors']).toHaveLength(5);
    expect(JSON.stringify(error)).not.toContain('secret-value');
  });

  it.each([
    ['2020-12 by default', { type: 'object', properties: { a: { prefixItems: [{ type: 'number' }] } } }],
    [
      'draft-07 by name',
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        properties: { a: { items: [{ type: 'number' }] } },
      },
    ],
    [
      '2019-09 by name',
      {
        $schema: 'https://json-schema.org/draft/2019-09/schema',
        properties: { a: { items: [{ type: 'number' }] } },
      },
    ],
  ])('reads %s', (_name, schema) => {
    expect(errorsOf(tool(schema), { a: ['x'] })).toEqual([{ path: '/a/0', message: 'must be number' }]);
    expect(validator.check(tool(schema), { a: [1] })).toBeUndefined();
  });

  it('follows references within the schema, recursive ones too', () => {
    const tree = tool({
      $defs: {
        node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, n: { type: 'number' } } },
      },
      $ref: '#/$defs/node',
    });
    expect(errorsOf(tree, { next: { next: { n: 'x' } } })).toEqual([
      { path: '/next/next/n', message: 'must be number' },
    ]);
  });

  it('keeps schemas with the same $id apart', () => {
    const one = tool({ $id: 'https://example.com/s', properties: { a: { type: 'number' } } });
    const two = tool({ $id: 'https://example.com/s', properties: { a: { type: 'string' } } });
    expect(validator.check(one, { a: 1 })).toBeUndefined();
    expect(validator.check(two, { a: 1 })).toBeDefined();
  });

  it.each([
    ['an external $ref', { properties: { a: { $ref: 'http://127.0.0.1:9/schema.json' } } }],
    ['no valid schema', { type: 'objekt', properties: 5 }],
    ['one that is too deep', JSON.parse(`${'{"not":'.repeat(100)}{}${'}'.repeat(100)}`) as object],
    ['one that is too large', { description: 'x'.repeat(300_000), required: ['a'] }],
    [
      'a key pattern without linear form',
      { patternProperties: { '^(?=x)': { type: 'number' } }, required: ['a'] },
    ],
  ])('leaves the check to the vendor for %s, and fetches nothing', (_name, schema) => {
    expect(validator.check(tool(schema), { b: 'x' })).toBeUndefined();
  });

  it('runs a vendor’s pattern in linear time, and skips one that it cannot', () => {
    const evil = tool({ properties: { a: { type: 'string', pattern: '^(a+)+$' } } });
    const look = () => expect(errorsOf(evil, { a: `${'a'.repeat(10_000)}!` })).toHaveLength(1);
    expect(workOf(look)).toBeLessThan(2_000);
    const lookahead = tool({
      properties: { a: { type: 'string', pattern: '^(?=x)y$' }, b: { type: 'number' } },
    });
    expect(errorsOf(lookahead, { a: 'no', b: 'no' })).toEqual([{ path: '/b', message: 'must be number' }]);
  });

  it('survives a schema whose references would multiply', () => {
    const $defs: Record<string, object> = { d0: { type: 'string' } };
    for (let n = 1; n <= 40; n++) {
      const twice = { $ref: `#/$defs/d${n - 1}` };
      $defs[`d${n}`] = { properties: { l: twice, r: twice } };
    }
    expect(validator.check(tool({ $defs, $ref: '#/$defs/d40' }), { l: {} })).toBeUndefined();
  });

  it('forgets the least used of very many schemas', () => {
    for (let n = 0; n < 1_100; n++) validator.check(tool({ required: ['a'] }), { a: 1 });
    expect(validator.check(search, { query: 1 })).toBeDefined();
  });
});
