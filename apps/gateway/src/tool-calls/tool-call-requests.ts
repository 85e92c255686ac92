import { filterFields } from '@switchyard/access';
import { CallStateSchema, PlatformError } from '@switchyard/contracts';
import { PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';

const maxDeadlineMs = 24 * 3_600_000;

/** Printable ASCII, as `Idempotency-Key` carries it. */
export const IdempotencyKey = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without blanks');

export const CreateToolCall = z.strictObject({
  tool: z.string().min(1).max(256),
  arguments: z.record(z.string(), z.unknown()).default({}),
  deadline_ms: z.number().int().min(1).max(maxDeadlineMs).optional(),
  idempotency_key: IdempotencyKey.optional(),
  ...filterFields,
});

export const ListToolCalls = PageQuery.strict().extend({
  status: CallStateSchema.optional(),
  tool: z.string().min(1).max(256).optional(),
});

export const CallId = z.strictObject({ id: z.uuid() });

/** The key of the header, checked; undefined where there is none. Two that differ are refused. */
export function idempotencyKeyOf(header: unknown, inBody?: string): string | undefined {
  if (header === undefined) return inBody;
  const parsed = IdempotencyKey.safeParse(header);
  if (parsed.success && (inBody === undefined || inBody === parsed.data)) return parsed.data;
  const message = parsed.success ? 'differs from idempotency_key in the body' : 'is not a valid key';
  throw new PlatformError('invalid_request', { details: { errors: [{ path: 'Idempotency-Key', message }] } });
}
