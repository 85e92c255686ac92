import { PlatformError } from '@switchyard/contracts';

/** The admin asked the registry: that another service is late is no deadline of theirs. */
export function brokerIsLate(error: unknown): never {
  const isLate = error instanceof PlatformError && error.code === 'deadline_exceeded';
  if (!isLate) throw error;
  throw new PlatformError('dependency_unavailable', {
    message: 'The token broker does not answer.',
    cause: error,
  });
}
