import { SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import { classifyFailure, type RequestFacts } from './classify-failure.js';
import { UpstreamError } from './upstream-error.js';

/** Whatever an operation threw, as an `UpstreamError`. A signal that timed out is a deadline, not a cancellation. */
export function toUpstreamError(
  thrown: unknown,
  facts: RequestFacts,
  context: { signal?: AbortSignal; diagnostic?: string },
): UpstreamError {
  if (thrown instanceof UpstreamError) return thrown;
  const { signal, diagnostic } = context;
  const timedOut = signal?.aborted && (signal.reason as Error | undefined)?.name === 'TimeoutError';
  const ended = timedOut
    ? new SdkError(SdkErrorCode.RequestTimeout, 'the deadline passed', undefined, { cause: thrown })
    : thrown;
  const failure = classifyFailure(ended, { ...facts, cancelled: signal?.aborted && !timedOut });
  return new UpstreamError(failure, { cause: thrown, diagnostic });
}
