import { describe, expect, it } from '@jest/globals';
import { outwardName, outwardNames } from './outward-name.js';

const named = (...names: string[]) => names.map((name) => ({ name }));

describe('outwardName', () => {
  it('joins slug and tool', () => {
    expect(outwardName('filesystem', 'read_file')).toBe('filesystem_read_file');
  });

  it('replaces what model providers refuse', () => {
    expect(outwardName('s', 'a.b/c d é😀')).toMatch(/^s_a_b_c_d__+$/);
  });

  it('keeps 64 characters and cuts 65 with a stable hash', () => {
    expect(outwardName('s', 'x'.repeat(62))).toBe(`s_${'x'.repeat(62)}`);
    const cut = outwardName('s', 'x'.repeat(63));
    expect(cut).toMatch(/^s_x{53}_[0-9a-f]{8}$/);
    expect(outwardName('s', 'x'.repeat(63))).toBe(cut);
    expect(outwardName('s', `${'x'.repeat(63)}y`)).not.toBe(cut);
  });
});

describe('outwardNames', () => {
  it('gives the hash suffix to the one that comes later', () => {
    const names = outwardNames('s', named('a.b', 'a_b'));
    expect(names.get('a.b')).toBe('s_a_b');
    expect(names.get('a_b')).toMatch(/^s_a_b_[0-9a-f]{8}$/);
  });

  it('keeps a name in place when tools are added behind it', () => {
    const before = outwardNames('s', named('a.b', 'a_b'));
    const after = outwardNames('s', named('a.b', 'a_b', 'a/b', 'c'));
    expect([...after].slice(0, 2)).toEqual([...before]);
  });

  it('is unique even where a vendor chose a name that looks like a suffix', () => {
    const squatted = outwardNames('s', named('a.b', 'a_b')).get('a_b')?.slice(2) ?? '';
    const names = outwardNames('s', named('a.b', squatted, 'a_b'));
    expect(new Set(names.values()).size).toBe(3);
    expect(outwardNames('s', named('a.b', squatted, 'a_b'))).toEqual(names);
  });

  it('keeps long tools of one stem apart', () => {
    const names = outwardNames(
      's',
      named(...Array.from({ length: 1_000 }, (_, n) => `${'long'.repeat(20)}${n}`)),
    );
    expect(new Set(names.values()).size).toBe(1_000);
    for (const name of names.values()) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });
});
