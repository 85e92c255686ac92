import { PlatformError } from '@switchyard/contracts';

/** Runs `write`; what a unique index refuses is `slug_taken`. */
export async function refuseTakenSlug<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw isUniqueViolation(error) ? new PlatformError('slug_taken', { cause: error }) : error;
  }
}

/** TypeORM's `QueryFailedError` carries the driver's error; 23505 is SQL's unique_violation. */
function isUniqueViolation(error: unknown): boolean {
  return (error as { driverError?: { code?: string } }).driverError?.code === '23505';
}
