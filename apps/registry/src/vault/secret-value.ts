import { z } from 'zod';

/** What stands in answers where a value is stored; nobody gets to see more. */
export const storedMark = '[stored]' as const;

export const SecretValue = z
  .string()
  .min(1)
  .refine((value) => value !== storedMark, 'is the mark of a stored value, not a value');

/** A key or a secret that travels in one header: printable ASCII, as the token broker takes it. */
export const PrintableSecret = SecretValue.max(4_096).regex(/^[\x20-\x7e]+$/, 'must be printable ASCII');
