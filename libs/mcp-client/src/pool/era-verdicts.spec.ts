import { describe, expect, it } from '@jest/globals';
import { EraVerdicts } from './era-verdicts.js';

describe('EraVerdicts', () => {
  it('believes a verdict for so long, however often it is confirmed by itself', () => {
    const verdicts = new EraVerdicts(100);
    verdicts.set('a', { kind: 'legacy' }, 0);
    verdicts.set('a', { kind: 'legacy' }, 90);
    expect(verdicts.get('a', 99)).toEqual({ kind: 'legacy' });
    expect(verdicts.get('a', 100)).toBeUndefined();
  });

  it('forgets by prefix', () => {
    const verdicts = new EraVerdicts(100);
    for (const key of ['a:1', 'a:2', 'b:1']) verdicts.set(key, { kind: 'legacy' }, 0);
    verdicts.forget('a:');
    expect(['a:1', 'a:2', 'b:1'].map((key) => verdicts.get(key, 1) !== undefined)).toEqual([
      false,
      false,
      true,
    ]);
  });
});
