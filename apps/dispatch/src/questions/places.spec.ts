import { describe, expect, it } from '@jest/globals';
import { placesOf } from './places.js';

const caller = {
  kind: 'user' as const,
  orgId: 'o',
  userId: 'ada',
  virtualKeyId: null,
  runKind: 'mcp' as const,
  roles: [],
  hasSubjectToken: false,
};
const lane = { lane: 'interactive' as const, slots: 64 };

describe('placesOf', () => {
  it('holds a turn of the caller and half of the lane', () => {
    const places = placesOf(caller, lane, { id: 'i', maxConcurrency: null });
    expect(places.map(({ most }) => most)).toEqual([4, 32]);
  });

  it('holds half of what the integration takes at once, and at least one', () => {
    const mostOf = (maxConcurrency: number) =>
      placesOf(caller, lane, { id: 'i', maxConcurrency }).find(({ key }) => key === 'integration i')?.most;
    expect([mostOf(1), mostOf(2), mostOf(9)]).toEqual([1, 1, 4]);
  });

  it('tells callers apart by all that they are', () => {
    const keyOf = (more: object) =>
      placesOf({ ...caller, ...more }, lane, { id: 'i', maxConcurrency: null })[0]!.key;
    const keys = [{}, { orgId: 'p' }, { userId: 'eve' }, { virtualKeyId: 'k' }].map(keyOf);
    expect(new Set(keys).size).toBe(4);
  });
});
