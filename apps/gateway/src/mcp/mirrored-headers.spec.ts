import { describe, expect, it } from '@jest/globals';
import { mirrorMismatch } from './mirrored-headers.js';

const schema = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    page: { type: 'object', properties: { size: { type: 'integer', 'x-mcp-header': 'Page-Size' } } },
  },
};

function judge(args: unknown, headers: Record<string, string>) {
  return mirrorMismatch(schema, args, (name) => headers[name]);
}

describe('mirrorMismatch', () => {
  it.each([
    ['equal values', { region: 'eu' }, { 'mcp-param-region': 'eu' }],
    ['an argument that is absent, whatever the header', {}, { 'mcp-param-region': 'us' }],
    ['an argument that is null', { region: null }, {}],
    ['Base64 of UTF-8', { region: 'zürich' }, { 'mcp-param-region': '=?base64?esO8cmljaA==?=' }],
    [
      'a value that only begins like Base64',
      { region: '=?base64?eA==' },
      { 'mcp-param-region': '=?base64?eA==' },
    ],
    ['numbers that are equal as numbers', { page: { size: 42 } }, { 'mcp-param-page-size': '42.0' }],
  ])('lets %s pass', (_what, args, headers) => {
    expect(judge(args, headers as Record<string, string>)).toBeUndefined();
  });

  it.each([
    ['a missing header', { region: 'eu' }, {}],
    ['another value', { region: 'eu' }, { 'mcp-param-region': 'us' }],
    ['another case', { region: 'eu' }, { 'mcp-param-region': 'EU' }],
    ['bad padding', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8?=' }],
    ['characters outside of Base64', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVs!!!bG8=?=' }],
    ['Base64 of bytes that are no UTF-8', { region: 'x' }, { 'mcp-param-region': '=?base64?/w==?=' }],
    ['a nested argument that differs', { page: { size: 1 } }, { 'mcp-param-page-size': '2' }],
  ])('refuses %s', (_what, args, headers) => {
    expect(judge(args, headers as Record<string, string>)).toMatchObject({ httpStatus: 400, code: -32020 });
  });

  it('takes nothing from the prototype for an argument', () => {
    const hostile = { type: 'object', properties: { constructor: { type: 'string', 'x-mcp-header': 'C' } } };
    expect(mirrorMismatch(hostile, {}, () => undefined)).toBeUndefined();
  });
});
