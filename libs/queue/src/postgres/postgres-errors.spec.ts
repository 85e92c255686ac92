import { describe, expect, it } from '@jest/globals';
import { isConnectionFailure, isRefusal } from './postgres-errors.js';

const withCode = (code: string, message = 'x') => Object.assign(new Error(message), { code });

describe('isConnectionFailure', () => {
  it.each([
    ['a refused connection', withCode('ECONNREFUSED')],
    ['one that an admin ended', withCode('57P01')],
    ['a server that starts', withCode('57P03')],
    ['SQLSTATE class 08', withCode('08006')],
    ['an end in mid-query', new Error('Connection terminated unexpectedly')],
    ['no connection in time', new Error('timeout exceeded when trying to connect')],
    ['no answer in time', new Error('Query read timeout')],
    ['several addresses that refuse', new AggregateError([withCode('ECONNREFUSED')])],
  ])('is true for %s', (_what, error) => {
    expect(isConnectionFailure(error)).toBe(true);
    expect(isRefusal(error)).toBe(false);
  });

  it.each(['23505', 'BM001', '42P01'])('is false for a refusal with SQLSTATE %s', (code) => {
    expect(isConnectionFailure(withCode(code))).toBe(false);
    expect(isRefusal(withCode(code))).toBe(true);
  });
});
