import { Role } from '@switchyard/contracts';
import { ModelSettings } from '@switchyard/models';
import { PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';
import { ApprovalChanges, ApprovalSettings, Mode } from '../approval-terms/approval-terms.schemas.js';
import { DisplayName, Slug } from '../http/fields.js';
import { AgentGrants } from '../mcp-configs/mcp-config.schemas.js';
import { PrintableSecret, storedMark } from '../vault/secret-value.js';
import { LostTool } from './lost-tool.schemas.js';

const longestInstructionsBytes = 65_536;

const chatAccess = {
  everyone: z.boolean().describe('Every user of the organization.'),
  roles: z.array(Role).max(64),
  user_ids: z.array(z.uuid()).max(1_000),
};

const settings = {
  name: DisplayName.describe('Defaults to the slug.'),
  description: z.string().trim().max(2_000).nullable(),
  instructions: z
    .string()
    .refine((text) => Buffer.byteLength(text) <= longestInstructionsBytes, 'must be at most 64 KiB')
    .describe('What the model is told before anything else, 64 KiB at most.'),
  model: ModelSettings.describe('Replaced as a whole. Holds no key.'),
  model_key: PrintableSecret.nullable().describe(
    'Goes to the token broker’s vault and is never shown. Null drops the stored one.',
  ),
  grants: AgentGrants,
  default_policy: Mode.nullable().describe(
    'Of tools without a word of their own. Null: the integration’s default_policy, and without one approval.',
  ),
  tool_policies: z
    .record(z.string().min(1).max(256), Mode)
    .refine((tools) => Object.keys(tools).length <= 1_000, 'names more than 1,000 tools')
    .describe('By outward name: `{slug}_{tool}`. Beats everything else that is said of the tool.'),
  approval: ApprovalChanges.describe('Of calls that wait in its runs. What it does not name stays.'),
  chat_access: z
    .strictObject(z.object(chatAccess).partial().shape)
    .describe('Who may chat with it; nobody by default. What it does not name stays.'),
  max_depth: z.int().min(1).max(50).describe('How often the model may ask for tools in one run.'),
  tool_deadline_ms: z
    .int()
    .min(1_000)
    .max(86_400_000)
    .describe('For one call, where the tool and its integration have none of their own.'),
  mixed_turn: z
    .enum(['run_auto', 'hold_all'])
    .describe('Where some calls of a turn need approval: run the others at once, or hold all.'),
  unattended_approval: z
    .enum(['leave_out', 'park'])
    .describe('In runs of schedules and webhooks: do not offer tools that need approval, or park the run.'),
  agentic_mode: z
    .boolean()
    .describe('False: the tools’ results are the answer; the model is not asked again.'),
  is_active: z.boolean(),
};

export const CreateAgent = z
  .strictObject({
    ...z.object(settings).partial().shape,
    slug: Slug.describe('Never changes.'),
    model: settings.model,
  })
  .meta({ id: 'CreateAgent' });
export type CreateAgentBody = z.output<typeof CreateAgent>;

export const UpdateAgent = z
  .strictObject(z.object(settings).partial().shape)
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateAgent' });
export type UpdateAgentBody = z.output<typeof UpdateAgent>;

export const ListAgents = z.strictObject({ ...PageQuery.shape, slug: Slug.optional() });
export type ListAgentsQuery = z.output<typeof ListAgents>;

export const AgentAnswer = z
  .strictObject({
    id: z.uuid(),
    organization_id: z.uuid(),
    slug: z.string(),
    ...settings,
    approval: ApprovalSettings,
    chat_access: z.strictObject(chatAccess),
    model_key: z.literal(storedMark).nullable(),
    version: z.int().describe('Grows with every change.'),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    warnings: z
      .array(z.string())
      .optional()
      .describe('What works otherwise than the admin may expect. Not in lists.'),
    lost_unattended: z
      .array(LostTool)
      .optional()
      .describe(
        'With a schedule or a webhook: what its runs are not offered of what the grants name. Not in lists.',
      ),
  })
  .meta({ id: 'Agent' });
export type AgentAnswerBody = z.output<typeof AgentAnswer>;
