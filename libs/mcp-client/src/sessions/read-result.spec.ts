import { describe, expect, it } from '@jest/globals';
import { readResult, withoutHopKeys } from './read-result.js';

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown;

const readToolResult = (raw: unknown) => readResult('tools/call', raw);

describe('readResult', () => {
  it('takes off what belongs to the hop, and nothing else', () => {
    const _meta = { 'io.modelcontextprotocol/serverInfo': {}, 'com.example/a': 1 };
    const raw = { resultType: 'complete', content: [{ type: 'new', x: 1 }], other: null, _meta };
    expect(readToolResult(raw)).toEqual({
      result: { content: [{ type: 'new', x: 1 }], other: null, _meta: { 'com.example/a': 1 } },
    });
  });

  it('leaves no empty _meta behind', () => {
    const raw = { content: [], _meta: { 'io.modelcontextprotocol/serverInfo': {} } };
    expect(readToolResult(raw)).toEqual({ result: { content: [] } });
  });

  it('takes a result without content', () => {
    expect(readToolResult({ structuredContent: [1] })).toEqual({ result: { structuredContent: [1] } });
  });

  it.each([
    null,
    'text',
    [],
    { content: 'x' },
    { content: [{}] },
    { isError: 'yes' },
    { resultType: 'later' },
  ])('refuses %j', (raw) =>
    expect(readToolResult(raw)).toMatchObject({ failure: { failureClass: 'answered' } }),
  );

  it('refuses a result that is nested too deeply to be handled', () => {
    expect(readToolResult({ content: [], structuredContent: nested(400) })).toHaveProperty('result');
    expect(readToolResult({ content: [], structuredContent: nested(100_000) })).toHaveProperty('failure');
  });
});

describe('readResult of other methods', () => {
  it.each([
    ['prompts/get', { messages: [], description: 'd' }],
    ['resources/read', { contents: [{ uri: 'a:b' }], ttlMs: 5 }],
    ['completion/complete', { completion: { values: ['a'], other: 1 } }],
  ] as const)('passes a result of %s on as it is, and refuses another', (method, raw) => {
    expect(readResult(method, raw)).toEqual({ result: raw });
    expect(readResult(method, { content: [] })).toHaveProperty('failure');
  });

  it('keeps the type of a result that asks for input, and its state', () => {
    const raw = {
      resultType: 'input_required',
      inputRequests: { a: { method: 'roots/list' } },
      requestState: 's',
    };
    expect(readResult('tools/call', raw)).toEqual({ result: raw });
    expect(readResult('prompts/get', { resultType: 'input_required', requestState: 's' })).toHaveProperty(
      'result',
    );
  });

  it.each([
    ['completion/complete', { requestState: 's' }],
    ['tools/call', {}],
    ['tools/call', { inputRequests: [] }],
    ['tools/call', { inputRequests: {}, requestState: 1 }],
  ] as const)('refuses a result of %s that asks by %j', (method, asks) =>
    expect(readResult(method, { resultType: 'input_required', ...asks })).toHaveProperty('failure'),
  );
});

describe('withoutHopKeys', () => {
  it('returns the same object where there is nothing to drop', () => {
    const meta = { a: 1 };
    expect(withoutHopKeys(meta)).toBe(meta);
    expect(withoutHopKeys({ progressToken: 1 })).toBeUndefined();
    expect(withoutHopKeys(undefined)).toBeUndefined();
  });
});
