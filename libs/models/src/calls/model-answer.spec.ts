import { describe, expect, it } from '@jest/globals';
import { addUsage, toModelUsage } from './model-answer.js';

type Said = Parameters<typeof toModelUsage>[0];

/** All counts of an answer as this one. */
function usageOf(count: unknown) {
  return toModelUsage({
    ...{ inputTokens: count, outputTokens: count, totalTokens: count },
    inputTokenDetails: { cacheReadTokens: count },
    outputTokenDetails: { reasoningTokens: count },
  } as Said);
}

const all = (count: number | null) => ({
  ...{ inputTokens: count, outputTokens: count, totalTokens: count },
  ...{ cachedInputTokens: count, reasoningTokens: count },
});

describe('the usage of an answer', () => {
  it.each([0, 1, 3e9, Number.MAX_SAFE_INTEGER])('is %d where the provider says so', (count) => {
    expect(usageOf(count)).toEqual(all(count));
  });

  it.each([undefined, null, -1, 1.5, 1e19, Number.NaN, Infinity, '7'])('is not known by %p', (count) => {
    expect(usageOf(count)).toEqual(all(null));
  });

  it('adds up to a number that is still exact', () => {
    const most = Number.MAX_SAFE_INTEGER;
    expect(addUsage(all(most), all(most))).toEqual(all(most));
    expect(addUsage(all(2), all(3))).toEqual(all(5));
    expect([addUsage(all(null), all(3)), addUsage(all(null), all(null))]).toEqual([all(3), all(null)]);
  });
});
