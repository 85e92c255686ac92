import { WebhookScheme } from '@switchyard/webhooks';
import { z } from 'zod';
import { LostTool } from '../agents/lost-tool.schemas.js';
import { AgentInput, DisplayName } from '../http/fields.js';
import { PrintableSecret, storedMark } from '../vault/secret-value.js';

const settings = {
  name: DisplayName,
  scheme: WebhookScheme.describe(
    'How deliveries are signed; Standard Webhooks by default. Replaced as a whole.',
  ),
  input: AgentInput.describe(
    'What the agent is asked to do with each payload. The payload itself is data to it, never instructions.',
  ),
  body_limit_bytes: z.int().min(1_000).max(1_000_000),
  is_active: z.boolean(),
};

const secret = PrintableSecret.describe(
  'By which deliveries are signed. For `standard` `whsec_…`, made where it is absent; for all others what the sender has.',
);

export const CreateWebhook = z
  .strictObject({
    ...z.object(settings).partial().shape,
    name: settings.name,
    input: settings.input,
    secret: secret.optional(),
  })
  .meta({ id: 'CreateAgentWebhook' });
export type CreateWebhookBody = z.output<typeof CreateWebhook>;

export const UpdateWebhook = z
  .strictObject({
    ...z.object(settings).partial().shape,
    secret: secret
      .optional()
      .describe(
        'Replaces the stored one at once, and ends a rotation. Needed with another form of signature.',
      ),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateAgentWebhook' });
export type UpdateWebhookBody = z.output<typeof UpdateWebhook>;

export const RotateSecret = z.strictObject({ secret: secret.optional() }).meta({ id: 'RotateWebhookSecret' });
export type RotateSecretBody = z.output<typeof RotateSecret>;

const webhook = {
  id: z.uuid(),
  organization_id: z.uuid(),
  agent_id: z.uuid(),
  ...settings,
  url_path: z.string().describe('Where deliveries are sent, below the gateway’s origin.'),
  url: z.string().optional().describe('The same with the public origin, where the operator has set one.'),
  has_previous_secret: z
    .boolean()
    .describe('While it is true, deliveries signed by the secret before hold too.'),
  version: z.int(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  warnings: z.array(z.string()).optional(),
  lost_unattended: z.array(LostTool).optional().describe('Of the agent’s grants; not in lists.'),
};

export const WebhookAnswer = z
  .strictObject({ ...webhook, secret: z.literal(storedMark) })
  .meta({ id: 'AgentWebhook' });
export type WebhookAnswerBody = z.input<typeof WebhookAnswer>;

export const NewWebhookAnswer = z
  .strictObject({
    ...webhook,
    secret: z.string().describe('A secret that was made here is shown this once; else `[stored]`.'),
  })
  .meta({ id: 'NewAgentWebhook' });
export type NewWebhookAnswerBody = z.input<typeof NewWebhookAnswer>;
