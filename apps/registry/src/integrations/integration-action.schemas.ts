import { CatalogSyncOutcome, IntegrationState } from '@switchyard/contracts';
import { z } from 'zod';
import { BreakerAnswer } from './integration.schemas.js';

export const SyncQuery = z.strictObject({
  wait: z.stringbool().default(false).describe('Whether to wait for the outcome, at most a minute.'),
});
export type SyncOptions = z.output<typeof SyncQuery>;

export const SyncAnswer = z
  .strictObject({ integration_id: z.uuid(), status: z.literal('queued') })
  .or(
    z.strictObject({
      integration_id: z.uuid(),
      status: z.enum(CatalogSyncOutcome.options.map((option) => option.shape.status.value)),
      tool_count: z.int().optional(),
      changed: z.boolean().optional(),
      why: z.string().optional(),
      failure: z
        .object({
          stage: z.string(),
          code: z.string(),
          message: z.string(),
          at: z.string(),
          since: z.string(),
        })
        .optional(),
    }),
  )
  .meta({ id: 'SyncOutcome' });
export type SyncAnswerBody = z.input<typeof SyncAnswer>;

export const ReconnectAnswer = z
  .strictObject({ id: z.uuid(), slug: z.string(), state: IntegrationState, status: z.literal('queued') })
  .meta({ id: 'Reconnect' });
export type ReconnectAnswerBody = z.input<typeof ReconnectAnswer>;

export const BreakerResetAnswer = z
  .strictObject({
    integration_id: z.uuid(),
    status: z.literal('requested'),
    breaker: BreakerAnswer.describe('As it was before the reset.'),
  })
  .meta({ id: 'BreakerReset' });
export type BreakerResetAnswerBody = z.input<typeof BreakerResetAnswer>;
