import type { UpstreamFailure } from '@switchyard/contracts';

/**
 * What every operation on an upstream throws. `failure` is public and says how far the request came; `cause` and
 * `diagnostic` (the end of a child's stderr) are for logs and for the admin of the integration.
 */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError';
  readonly diagnostic?: string;

  constructor(
    readonly failure: UpstreamFailure,
    options: { cause?: unknown; diagnostic?: string } = {},
  ) {
    super(failure.error.message, { cause: options.cause });
    if (options.diagnostic) this.diagnostic = options.diagnostic;
  }

  /** Whether the upstream has forgotten the session, or is gone: a new session may help, this one never will. */
  get isSessionLost(): boolean {
    return this.failure.error.details?.['sessionLost'] === true;
  }
}
