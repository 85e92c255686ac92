import { PlatformError } from '@switchyard/contracts';

/** The admin asked the registry: that another service is late is no deadline of theirs. */
export function isLate(service: string): (error: unknown) => never {
  return (error) => {
    const isDeadline = error instanceof PlatformError && error.code === 'deadline_exceeded';
    if (!isDeadline) throw error;
    throw new PlatformError('dependency_unavailable', {
      message: `The ${service} does not answer.`,
      cause: error,
    });
  };
}
