import { describe, expect, it } from '@jest/globals';
import { type RequestState, RequestStates } from './request-states.js';

const sealKey = 'a seal key that is long enough for tests';
const states = new RequestStates(sealKey);
const integrationId = '01890000-0000-7000-8000-000000000001';
const state: RequestState = { kind: 'upstream', integrationId, state: 'the upstream’s' };
const binding = { owner: 'key:1', method: 'tools/call', name: 'up_ask', arguments: { a: 1, b: [2] } };

describe('RequestStates', () => {
  it('give back what was sealed, on any replica with the same key, whatever the order of the arguments', () => {
    const sealed = states.seal(state, binding);
    const again = { ...binding, arguments: { b: [2], a: 1 } };
    expect(new RequestStates(sealKey).open(sealed, again)).toEqual(state);
  });

  it.each([
    ['another caller', { owner: 'key:2' }],
    ['another method', { method: 'prompts/get' }],
    ['another name', { name: 'up_other' }],
    ['other arguments', { arguments: { a: 2, b: [2] } }],
  ])('are no good for %s', (_what, other) => {
    const sealed = states.seal(state, binding);
    expect(states.open(sealed, { ...binding, ...other })).toEqual({ bad: 'another_request' });
  });

  it('are no good when any byte was changed, nor under another key', () => {
    const bytes = Buffer.from(states.seal(state, binding), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      const forged = Buffer.from(bytes);
      forged[at] = (forged[at] ?? 0) ^ 1;
      expect(states.open(forged.toString('base64url'), binding)).toEqual({ bad: 'forged' });
    }
    const others = new RequestStates(`another ${sealKey}`);
    expect(others.open(states.seal(state, binding), binding)).toEqual({ bad: 'forged' });
  });

  it.each(['', 'x', 'the upstream’s', 'A'.repeat(200), 'A'.repeat(200_000)])('are not %.20s', (text) => {
    expect(states.open(text, binding)).toEqual({ bad: 'forged' });
  });

  it('expire after an hour', () => {
    const sealed = states.seal(state, binding, 0);
    expect(states.open(sealed, binding, 3_600_000)).toEqual(state);
    expect(states.open(sealed, binding, 3_600_001)).toEqual({ bad: 'expired' });
  });

  it('show nothing of what is in them', () => {
    const text = Buffer.from(states.seal(state, binding), 'base64url').toString('latin1');
    for (const secret of ['upstream', 'key:1', integrationId]) expect(text).not.toContain(secret);
  });
});
