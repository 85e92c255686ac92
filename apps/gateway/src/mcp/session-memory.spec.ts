import { describe, expect, it } from '@jest/globals';
import { SessionMemory } from './session-memory.js';

const limits = { sessions: 4, bytes: 100, bytesOfHolder: 50 };

describe('SessionMemory', () => {
  it('takes from who holds too much what they asked for longest ago, and from nobody else', () => {
    const memory = new SessionMemory<string>(limits);
    memory.set('other', 'o', { holder: 'bob', bytes: 10 });
    memory.set('a', 'a', { holder: 'ann', bytes: 20 });
    memory.set('b', 'b', { holder: 'ann', bytes: 20 });
    memory.get('a');
    memory.set('c', 'c', { holder: 'ann', bytes: 20 });
    expect(['other', 'a', 'b', 'c'].map((id) => memory.get(id))).toEqual(['o', 'a', undefined, 'c']);
  });

  it('counts what a session holds now', () => {
    const memory = new SessionMemory<string>(limits);
    memory.set('b', 'b', { holder: 'ann', bytes: 10 });
    for (let n = 0; n < 10; n++) memory.set('a', `a${n}`, { holder: 'ann', bytes: n % 2 ? 10 : 40 });
    expect([memory.get('a'), memory.get('b')]).toEqual(['a9', 'b']);
  });

  it('holds no more of all than it may', () => {
    const memory = new SessionMemory<string>(limits);
    for (const id of ['a', 'b', 'c', 'd', 'e']) memory.set(id, id, { holder: id, bytes: 1 });
    expect(['a', 'b', 'e'].map((id) => memory.get(id))).toEqual([undefined, 'b', 'e']);
    for (const id of ['f', 'g', 'h']) memory.set(id, id, { holder: id, bytes: 40 });
    expect(['b', 'f', 'g', 'h'].map((id) => memory.get(id))).toEqual([undefined, undefined, 'g', 'h']);
  });
});
