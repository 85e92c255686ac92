import { describe, expect, it } from '@jest/globals';
import { SessionTokens } from './session-token.js';

const sealKey = 'a seal key that is long enough for tests';
const tokens = new SessionTokens(sealKey);
const session = {
  principalId: 'key:1',
  protocolVersion: '2025-11-25',
  clientCapabilities: { elicitation: { form: {}, url: {} }, roots: { listChanged: true } },
};

describe('SessionTokens', () => {
  it('gives back what was sealed, on any replica with the same key', () => {
    const token = tokens.issue(session);
    const opened = new SessionTokens(sealKey).open(token, 'key:1');
    expect(opened).toMatchObject(session);
    expect(opened?.id).toHaveLength(20);
  });

  it('makes another id for every session', () => {
    const ids = [1, 2].map(() => tokens.open(tokens.issue(session), 'key:1')?.id);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('does not open for another principal, nor under another key', () => {
    const token = tokens.issue(session);
    expect(tokens.open(token, 'key:2')).toBeUndefined();
    expect(new SessionTokens(`another ${sealKey}`).open(token, 'key:1')).toBeUndefined();
  });

  it('does not open when any byte was changed', () => {
    const bytes = Buffer.from(tokens.issue(session), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect(tokens.open(forged.toString('base64url'), 'key:1')).toBeUndefined();
    }
  });

  it.each(['', 'x', '../../etc/passwd', 'é'.repeat(60), 'A'.repeat(100), 'A'.repeat(100_000)])(
    'does not open %.20s',
    (token) => expect(tokens.open(token, 'key:1')).toBeUndefined(),
  );

  it('forgets sessions after 30 days', () => {
    const token = tokens.issue(session, 0);
    expect(tokens.open(token, 'key:1', 30 * 86_400_000)).toBeDefined();
    expect(tokens.open(token, 'key:1', 30 * 86_400_000 + 1)).toBeUndefined();
  });

  it('stays short and shows nothing, whatever the client declares', () => {
    const experimental = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`x${n}`, {}]));
    const token = tokens.issue({
      ...session,
      clientCapabilities: { ...experimental, sampling: experimental },
    });
    expect(token.length).toBeLessThan(300);
    expect(Buffer.from(token, 'base64url').toString('latin1')).not.toContain('key:1');
    expect(tokens.open(token, 'key:1')?.clientCapabilities).toEqual({ sampling: {} });
  });
});
