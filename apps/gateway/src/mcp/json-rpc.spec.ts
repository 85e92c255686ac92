import { describe, expect, it } from '@jest/globals';
import { readRpcBody, rpcErrorText } from './json-rpc.js';

const limits = { maxDepth: 10, maxElements: 100 };

describe('readRpcBody', () => {
  it('gives the message', () => {
    expect(readRpcBody('{"jsonrpc":"2.0","id":1,"method":"ping"}', limits)).toEqual({
      ok: true,
      value: { jsonrpc: '2.0', id: 1, method: 'ping' },
    });
  });

  it.each([
    ['', -32700],
    [undefined, -32700],
    ['{"jsonrpc":', -32700],
    ['[]', -32600],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600],
    ['"ping"', -32600],
    ['null', -32600],
    ['['.repeat(50), -32600],
    [`[${'1,'.repeat(200)}1]`, -32600],
  ])('refuses %.30j with %d', (text, code) => {
    expect(readRpcBody(text, limits)).toMatchObject({
      ok: false,
      refusal: { httpStatus: 400, code, id: null },
    });
  });
});

describe('rpcErrorText', () => {
  it('writes an error response', () => {
    expect(JSON.parse(rpcErrorText({ code: -32600, message: 'no', id: 7 }))).toEqual({
      jsonrpc: '2.0',
      id: 7,
      error: { code: -32600, message: 'no' },
    });
  });
});
