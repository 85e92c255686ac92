import { PlatformError } from '@switchyard/contracts';
import type { FieldError } from '@switchyard/service-kit';

/** Throws `invalid_request` that names the fields, if there is anything to name. */
export function refuseFields(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  const shown = errors.slice(0, 10);
  const message = shown.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ');
  throw new PlatformError('invalid_request', { message, details: { errors: shown } });
}
