import { describe, expect, it } from '@jest/globals';
import { secretLimits, secretProblems } from './secret-rules.js';

describe('secretProblems of headers', () => {
  it.each([
    ['a bearer token', { Authorization: 'Bearer abc.def' }],
    ['several headers', { 'X-Api-Key': 'k', 'X-Tenant': '42' }],
    ['Latin-1', { 'X-Name': 'Jürgen' }],
    ['no header at all', {}],
  ])('finds none in %s', (_what, values) => {
    expect(secretProblems('headers', values)).toEqual([]);
  });

  it.each([
    ['a name with a blank', { 'X Api': 'v' }],
    ['a name with CR and LF', { 'X\r\nHost': 'v' }],
    ['an empty name', { '': 'v' }],
    ['a value with LF', { 'X-Api-Key': 'canary\nHost: evil' }],
    ['a value with CR', { 'X-Api-Key': 'canary\rHost: evil' }],
    ['a value with NUL', { 'X-Api-Key': 'canary\0' }],
    ['a value beyond Latin-1', { 'X-Api-Key': 'canary→' }],
    ['an empty value', { 'X-Api-Key': ' ' }],
    ['a trailing newline', { 'X-Api-Key': 'canary\n' }],
    ['the Host header', { Host: 'canary' }],
    ['a header of the protocol', { 'Mcp-Session-Id': 'canary' }],
    ['the same name in two cases', { 'X-Api-Key': 'canary', 'x-api-key': 'canary2' }],
    ['a huge value', { 'X-Api-Key': 'canary'.repeat(secretLimits.headerValueBytes) }],
  ])('finds one in %s, without the value', (_what, values) => {
    const problems = secretProblems('headers', values);

    expect(problems).toHaveLength(1);
    expect(problems.join()).not.toContain('canary');
  });

  it('limits the number of headers', () => {
    const many = Object.fromEntries(
      Array.from({ length: secretLimits.entries + 1 }, (_, index) => [`x-${index}`, 'v']),
    );

    expect(secretProblems('headers', many)).toHaveLength(1);
  });
});

describe('secretProblems of environment variables', () => {
  it('finds none in a name and a value of several lines', () => {
    expect(secretProblems('env', { PRIVATE_KEY: '-----BEGIN\nabc\n-----END', _X: '' })).toEqual([]);
  });

  it.each([
    ['a name with =', { 'A=B': 'v' }],
    ['a name that starts with a digit', { '1A': 'v' }],
    ['a value with NUL', { A: 'canary\0' }],
    ['a lone surrogate', { A: 'canary\ud800' }],
    ['a huge value', { A: 'x'.repeat(secretLimits.envValueBytes + 1) }],
  ])('finds one in %s', (_what, values) => {
    expect(secretProblems('env', values)).toHaveLength(1);
  });

  it('limits the size of the whole set', () => {
    const values = Object.fromEntries(
      Array.from({ length: 5 }, (_, index) => [`V${index}`, 'x'.repeat(60_000)]),
    );

    expect(secretProblems('env', values)).toEqual([expect.stringContaining('together')]);
  });
});

describe('an OAuth client', () => {
  it('has a secret and nothing else', () => {
    expect(secretProblems('oauth_client', { client_secret: 'a b~1' })).toEqual([]);
    expect(secretProblems('oauth_client', { client_id: 'x' })).toHaveLength(1);
    expect(secretProblems('oauth_client', { client_secret: 'ä' })).toHaveLength(1);
    expect(secretProblems('oauth_client', { client_secret: 'x'.repeat(5_000) })).toHaveLength(1);
  });
});
