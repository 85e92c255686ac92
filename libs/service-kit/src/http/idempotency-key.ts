import { PlatformError } from '@switchyard/contracts';
import { z } from 'zod';

/** Printable ASCII, as `Idempotency-Key` carries it. */
export const IdempotencyKey = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without blanks');

/**
 * The key of the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), or of the body; undefined where there is
 * none. Throws `invalid_request` for one that is no key, and for two that differ.
 */
export function idempotencyKeyOf(header: unknown, inBody?: string): string | undefined {
  if (header === undefined) return inBody;
  const parsed = IdempotencyKey.safeParse(header);
  if (parsed.success && (inBody === undefined || inBody === parsed.data)) return parsed.data;
  const message = parsed.success
    ? 'differs from idempotency_key in the body'
    : 'is no key: 1 to 255 printable ASCII characters without blanks';
  const errors = [{ path: 'Idempotency-Key', message }];
  throw new PlatformError('invalid_request', { message: `Idempotency-Key ${message}.`, details: { errors } });
}
