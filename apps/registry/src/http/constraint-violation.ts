import { PlatformError } from '@switchyard/contracts';

/** Runs `write`; what a unique index refuses is `slug_taken`. */
export async function refuseTakenSlug<T>(write: () => Promise<T>): Promise<T> {
  return refuseTwin(write, () => new PlatformError('slug_taken'));
}

/** Runs `write`; what a unique index refuses is `refusal`. */
export async function refuseTwin<T>(write: () => Promise<T>, refusal: () => PlatformError): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw stateOf(error) === uniqueViolation ? refusal() : error;
  }
}

/** Runs `write`; a row that belongs to one that was removed meanwhile is `not_found`. */
export async function refuseGoneParent<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw stateOf(error) === foreignKeyViolation ? new PlatformError('not_found') : error;
  }
}

const uniqueViolation = '23505';
const foreignKeyViolation = '23503';

/** SQL's, which TypeORM's `QueryFailedError` has from the driver. */
function stateOf(error: unknown): string | undefined {
  return (error as { driverError?: { code?: string } }).driverError?.code;
}
