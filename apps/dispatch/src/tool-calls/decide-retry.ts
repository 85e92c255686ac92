import type { UpstreamFailure } from '@switchyard/contracts';

/** How often a failed send is tried again, by what is known of it. */
export const maxRetries = { not_sent: 3, sent_no_answer: 1 } as const;

const firstDelayMs = 200;
const longestDelayMs = 30_000;

export type RetryDecision = { again: false } | { again: true; delayMs: number };

/**
 * Whether a failed send may be tried again, and after how long.
 *
 * Retryability belongs to the failure, not to the job: `not_sent` may be retried for every tool, `sent_no_answer`
 * for safe ones alone, `answered` never. Delays double from 200 ms; the upstream's Retry-After goes before. A retry
 * that could not end before the deadline is not begun.
 */
export function decideRetry(
  failure: UpstreamFailure,
  { safe, retries, remainingMs }: { safe: boolean; retries: number; remainingMs: number },
): RetryDecision {
  const { failureClass, error } = failure;
  if (failureClass === 'answered' || (failureClass === 'sent_no_answer' && !safe)) return { again: false };
  if (isFinal(error.code) || retries >= maxRetries[failureClass]) return { again: false };
  const delayMs = Math.max(error.retryAfterMs ?? 0, Math.min(firstDelayMs * 2 ** retries, longestDelayMs));
  return delayMs < remainingMs ? { again: true, delayMs } : { again: false };
}

/** Waiting changes nothing about these. */
function isFinal(code: string): boolean {
  return ['egress_denied', 'stdio_not_allowed', 'upstream_denied', 'deadline_exceeded', 'cancelled'].includes(
    code,
  );
}
