import { describe, expect, it } from '@jest/globals';
import { patienceOf } from './bff-requests.js';

const usualMs = 25_000;

describe('how long a caller waits', () => {
  it.each([
    ['wait=5', 5_000, 'wait=5'],
    ['handling=lenient, Wait = "7"', 7_000, 'wait=7'],
    ['wait=0', 0, 'wait=0'],
    ['wait=3600', 60_000, 'wait=60'],
    ['respond-async, wait=10', 0, 'respond-async'],
  ])('%s', (header, waitMs, applied) => {
    expect(patienceOf(header, usualMs)).toEqual({ waitMs, applied });
  });

  it.each([undefined, '', 'wait', 'wait=', 'wait=-1', 'wait=soon', 'return=minimal', 'await=5'])(
    'the usual time for %s',
    (header) => expect(patienceOf(header, usualMs)).toEqual({ waitMs: usualMs }),
  );
});
