import { describe, expect, it } from '@jest/globals';
import { returnPath, signedInPath } from './return-path.js';

describe('returnPath', () => {
  it.each([
    '/integrations/1/connect',
    '/integrations/1/connect?as=service',
    '/',
    '/a//b',
    '/a?next=https://x.test',
  ])('keeps %s', (path) => expect(returnPath(path)).toBe(path));

  it.each([
    'https://evil.test',
    '//evil.test',
    '///evil.test',
    '/\\evil.test',
    '\\\\evil.test',
    '/\t/evil.test',
    '/\n/evil.test',
    '/%2fevil.test',
    '/%5Cevil.test',
    '/%09/evil.test',
    '/.//evil.test',
    '/a/..//evil.test',
    '/./\\evil.test',
    'javascript:alert(1)',
    'evil.test',
    '',
    '/ä',
    undefined,
    ['/a', '//evil.test'],
    `/${'a'.repeat(3_000)}`,
  ])('takes nobody to %j', (text) => expect(returnPath(text)).toBe(signedInPath));
});
