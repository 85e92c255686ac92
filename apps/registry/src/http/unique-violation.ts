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
    throw isUniqueViolation(error) ? refusal() : error;
  }
}

/** TypeORM's `QueryFailedError` carries the driver's error; 23505 is SQL's unique_violation. */
function isUniqueViolation(error: unknown): boolean {
  return (error as { driverError?: { code?: string } }).driverError?.code === '23505';
}
