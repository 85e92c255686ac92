import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { MasterKey, masterKeyProblem } from './master-key.js';

describe('masterKeyProblem', () => {
  it.each([
    ['base64', randomBytes(32).toString('base64')],
    ['base64url', randomBytes(33).toString('base64url')],
    ['hex', randomBytes(32).toString('hex')],
    ['more than needed', randomBytes(64).toString('base64')],
  ])('accepts a random key as %s', (_form, text) => {
    expect(masterKeyProblem(text)).toBeNull();
  });

  it.each([
    ['empty', ''],
    ['a passphrase', 'correct horse battery staple, correct horse battery staple'],
    ['short hex', randomBytes(31).toString('hex')],
    ['short base64', randomBytes(24).toString('base64')],
    ['a placeholder', 'change-me-change-me-change-me-change-me-change-me'],
    ['an encoded placeholder', Buffer.from('default-secret-default-secret-default!!').toString('base64')],
    ['zeros', '0'.repeat(64)],
    ['a repeated pattern', '0123456789abcdef'.repeat(4)],
    ['counting bytes', Buffer.from(Array.from({ length: 32 }, (_, index) => index)).toString('hex')],
  ])('refuses %s', (_what, text) => {
    const problem = masterKeyProblem(text);

    expect(problem).not.toBeNull();
    if (text) expect(problem).not.toContain(text);
  });
});

describe('MasterKey', () => {
  it('gives the same key and id for the same bytes in hex and base64', () => {
    const bytes = randomBytes(32);

    expect(MasterKey.parse(bytes.toString('hex'))).toEqual(MasterKey.parse(bytes.toString('base64')));
  });

  it('gives other keys other ids, and an id that is no part of the key', () => {
    const [one, two] = [randomBytes(32), randomBytes(32)].map((bytes) =>
      MasterKey.parse(bytes.toString('hex')),
    );

    expect(one!.id).not.toBe(two!.id);
    expect(one!.bytes.toString('hex')).not.toContain(one!.id);
  });

  it('throws without the key in the message', () => {
    expect(() => MasterKey.parse('abcdef')).toThrow(/at least 32 bytes/);
    expect(() => MasterKey.parse('abcdef')).not.toThrow(/abcdef/);
  });
});
