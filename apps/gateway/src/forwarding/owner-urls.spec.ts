import { describe, expect, it } from '@jest/globals';
import { OwnerUrls } from './owner-urls.js';

function urlsAt(names: string[]) {
  const clock = { ms: 100 };
  const urls = new OwnerUrls(names, () => clock.ms);
  const take = (count: number) => Array.from({ length: count }, () => urls.next()).join('');
  return { clock, urls, take };
}

describe('the URLs of an owner', () => {
  it('are taken in turn', () => {
    expect(urlsAt(['a', 'b', 'c']).take(7)).toBe('abcabca');
    expect(urlsAt(['a']).take(3)).toBe('aaa');
  });

  it('leave out one that failed for 5 s, and share its requests among the others', () => {
    const { clock, urls, take } = urlsAt(['a', 'b', 'c']);
    urls.failed('b');
    expect(take(6)).toBe('acacac');
    clock.ms += 4_999;
    expect(take(2)).toBe('ac');
    clock.ms += 1;
    expect(take(4)).toBe('abca');
  });

  it('leave it out again from its latest failure on', () => {
    const { clock, urls, take } = urlsAt(['a', 'b']);
    urls.failed('a');
    clock.ms += 3_000;
    urls.failed('a');
    clock.ms += 3_000;
    expect(take(3)).toBe('bbb');
    clock.ms += 2_000;
    expect(take(3)).toBe('aba');
  });

  it('are all taken in turn while all have failed', () => {
    const { urls, take } = urlsAt(['a', 'b']);
    urls.failed('a');
    urls.failed('b');
    expect(take(4)).toBe('abab');
    const one = urlsAt(['a']);
    one.urls.failed('a');
    expect(one.take(2)).toBe('aa');
  });
});
