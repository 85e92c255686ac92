import { PlatformError } from '@switchyard/contracts';

/** The token is not taken, with a reason that tells its holder what to mend and nobody else anything new. */
export function unauthenticated(message: string, cause?: unknown): PlatformError {
  return new PlatformError('unauthenticated', { message, cause });
}
