import { describe, expect, it } from '@jest/globals';
import { GroupWriter } from './group-writer.js';

describe('GroupWriter', () => {
  it('writes a lone item at once and gathers what arrives meanwhile', async () => {
    const groups: number[][] = [];
    let release = (): void => undefined;
    const writer = new GroupWriter<number, number>(async (items) => {
      groups.push(items);
      if (groups.length === 1) await new Promise<void>((resolve) => (release = resolve));
      return items.map((item) => item * 2);
    });
    const first = writer.write(1);
    const rest = Promise.all([writer.write(2), writer.write(3)]);
    release();
    expect([await first, ...(await rest)]).toEqual([2, 4, 6]);
    expect(groups).toEqual([[1], [2, 3]]);
  });

  it('lets one bad item fail alone', async () => {
    const writer = new GroupWriter<number, number>(async (items) => {
      if (items.includes(2)) throw new Error('bad row');
      return items;
    });
    const written = await Promise.allSettled([
      writer.write(0),
      writer.write(1),
      writer.write(2),
      writer.write(3),
    ]);
    expect(written.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  });

  it('splits long queues into groups of the limit', async () => {
    const sizes: number[] = [];
    const writer = new GroupWriter<number, number>(async (items) => {
      sizes.push(items.length);
      return items;
    }, 10);
    await Promise.all(Array.from({ length: 25 }, (_, i) => writer.write(i)));
    expect(Math.max(...sizes)).toBe(10);
  });
});
