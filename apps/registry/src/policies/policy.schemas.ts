import { Role } from '@switchyard/contracts';
import { z } from 'zod';
import { DisplayName } from '../http/fields.js';
import { McpConfig, McpConfigs } from '../mcp-configs/mcp-config.schemas.js';
import { ClaimMatcher } from './claim-matcher.schemas.js';

const Roles = z
  .array(Role)
  .max(64)
  .nullable()
  .describe('Users with one of these. Null: every signed-in user of the organization. Empty: nobody.');

const Matchers = z
  .array(ClaimMatcher)
  .max(32)
  .describe('Conditions on the claims of the user’s token; all of them have to match.');

const settings = {
  effect: z
    .enum(['allow', 'deny'])
    .describe('A denial takes tools away that other policies, or toolsets attached to the user, would give.'),
  priority: z
    .int()
    .min(-1_000_000)
    .max(1_000_000)
    .describe('Of the policies that speak of a tool the highest decide, and among equals a denial.'),
  group_ids: z.array(z.uuid()).max(100).describe('Tool groups of which it speaks, beside `mcp_configs`.'),
};

export const CreatePolicy = z
  .strictObject({
    name: DisplayName,
    roles: Roles.default(null),
    matchers: Matchers.default([]),
    effect: settings.effect.default('allow'),
    priority: settings.priority.default(0),
    mcp_configs: McpConfigs.default([]),
    group_ids: settings.group_ids.default([]),
    is_active: z.boolean().default(true),
  })
  .meta({ id: 'CreatePolicy' });
export type CreatePolicyBody = z.output<typeof CreatePolicy>;

export const UpdatePolicy = z
  .strictObject({
    name: DisplayName.optional(),
    roles: Roles.optional(),
    matchers: Matchers.optional(),
    effect: settings.effect.optional(),
    priority: settings.priority.optional(),
    mcp_configs: McpConfigs.optional(),
    group_ids: settings.group_ids.optional(),
    is_active: z.boolean().optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdatePolicy' });
export type UpdatePolicyBody = z.output<typeof UpdatePolicy>;

export const PolicyAnswer = z
  .strictObject({
    id: z.uuid(),
    organization_id: z.uuid(),
    name: z.string(),
    roles: Roles,
    matchers: Matchers,
    ...settings,
    mcp_configs: z.array(McpConfig),
    is_active: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    warnings: z.array(z.string()).optional(),
  })
  .meta({ id: 'Policy' });
export type PolicyAnswerBody = z.output<typeof PolicyAnswer>;

export const PreviewPolicies = z
  .strictObject({
    claims: z
      .record(z.string(), z.unknown())
      .default({})
      .describe('As the payload of a user’s token has them.'),
    roles: z.array(Role).max(64).default([]).describe('As the provider’s `roles_claim` gives them.'),
    user_id: z.uuid().optional().describe('For the toolsets that are attached to this user.'),
  })
  .meta({ id: 'PreviewPolicies' });
export type PreviewPoliciesBody = z.output<typeof PreviewPolicies>;

export const PolicyPreview = z
  .strictObject({
    policies: z
      .array(
        z.strictObject({
          id: z.uuid(),
          name: z.string(),
          effect: settings.effect,
          priority: settings.priority,
        }),
      )
      .describe('Those that match, the deciding ones first.'),
    toolsets: z.array(z.string()).describe('Slugs of the toolsets that are attached.'),
    tools: z
      .array(z.string())
      .describe('Outward names of the tools that such a user is shown now, at `/mcp` and the BFF.'),
    claims_read: z
      .array(z.string())
      .describe('The claims that policies ask for, and that therefore travel with calls.'),
  })
  .meta({ id: 'PolicyPreview' });
export type PolicyPreviewBody = z.output<typeof PolicyPreview>;
