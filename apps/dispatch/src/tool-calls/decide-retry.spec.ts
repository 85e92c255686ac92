import { describe, expect, it } from '@jest/globals';
import {
  PlatformError,
  type ErrorCode,
  type FailureClass,
  type UpstreamFailure,
} from '@switchyard/contracts';
import { decideRetry } from './decide-retry.js';

function failure(
  failureClass: FailureClass,
  code: ErrorCode = 'upstream_unreachable',
  retryAfterMs?: number,
): UpstreamFailure {
  return { failureClass, error: new PlatformError(code, { retryAfterMs }).toInfo() };
}

const plenty = { retries: 0, remainingMs: 60_000 };

describe('decideRetry', () => {
  it.each([
    ['not_sent', true, true],
    ['not_sent', false, true],
    ['sent_no_answer', true, true],
    ['sent_no_answer', false, false],
    ['answered', true, false],
    ['answered', false, false],
  ] as const)('%s, safe: %s → again: %s', (failureClass, safe, again) => {
    expect(decideRetry(failure(failureClass), { safe, ...plenty }).again).toBe(again);
  });

  it('stops after the retries that the failure class allows', () => {
    expect(decideRetry(failure('not_sent'), { safe: false, retries: 2, remainingMs: 60_000 }).again).toBe(
      true,
    );
    expect(decideRetry(failure('not_sent'), { safe: false, retries: 3, remainingMs: 60_000 }).again).toBe(
      false,
    );
    expect(
      decideRetry(failure('sent_no_answer'), { safe: true, retries: 1, remainingMs: 60_000 }).again,
    ).toBe(false);
  });

  it('doubles the delay and lets Retry-After go before', () => {
    expect(decideRetry(failure('not_sent'), { safe: true, retries: 2, remainingMs: 60_000 })).toEqual({
      again: true,
      delayMs: 800,
    });
    expect(
      decideRetry(failure('not_sent', 'upstream_rate_limited', 5_000), { safe: true, ...plenty }),
    ).toEqual({ again: true, delayMs: 5_000 });
  });

  it('does not begin a retry that could not end before the deadline', () => {
    expect(
      decideRetry(failure('not_sent', 'upstream_rate_limited', 5_000), {
        safe: true,
        retries: 0,
        remainingMs: 4_000,
      }).again,
    ).toBe(false);
  });

  it.each(['egress_denied', 'upstream_denied', 'stdio_not_allowed'] as const)(
    'does not repeat %s',
    (code) => {
      expect(decideRetry(failure('not_sent', code), { safe: true, ...plenty }).again).toBe(false);
    },
  );
});
