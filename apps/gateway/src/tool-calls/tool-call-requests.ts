import { filterFields } from '@switchyard/access';
import { CallStateSchema } from '@switchyard/contracts';
import { IdempotencyKey, PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';

const maxDeadlineMs = 24 * 3_600_000;

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
