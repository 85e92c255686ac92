import type { LastFailure } from '@switchyard/contracts';

/** Why an attempt on an upstream failed, in words fit for the admin of its integration. */
export type Failure = {
  readonly stage: LastFailure['stage'];
  readonly code: string;
  readonly message: string;
  /** The upstream refused the credential of discovery: only a person can mend it. */
  readonly needsReauth: boolean;
  /** A part of the platform failed: says nothing about the upstream. */
  readonly isOurs: boolean;
  readonly retryAfterMs?: number;
};

/** Ends an attempt on an upstream. */
export class AttemptError extends Error {
  override readonly name = 'AttemptError';

  constructor(
    readonly failure: Failure,
    options: { cause?: unknown } = {},
  ) {
    super(failure.message, options);
  }
}
