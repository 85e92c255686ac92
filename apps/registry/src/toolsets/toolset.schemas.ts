import { slugOf } from '@switchyard/access';
import { Role } from '@switchyard/contracts';
import { z } from 'zod';
import { DisplayName, Slug, ToolMode } from '../http/fields.js';
import { McpConfig } from '../mcp-configs/mcp-config.schemas.js';

const ToolOverride = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be of letters, digits, `_` and `-`, 64 at most')
    .optional()
    .describe('Instead of the upstream’s name; with `prefix` the slug comes before it.'),
  description: z.string().trim().min(1).max(10_000).optional().describe('Instead of the upstream’s.'),
});

const ToolsetConfig = McpConfig.extend({
  tools: z
    .record(z.string().min(1).max(256), ToolOverride)
    .refine((tools) => Object.keys(tools).length <= 1_000, 'names more than 1,000 tools')
    .optional()
    .describe('By the upstream’s tool name: what the toolset says instead.'),
});
export type ToolsetConfig = z.output<typeof ToolsetConfig>;

const isNamedOnce = (configs: readonly ToolsetConfig[]) =>
  new Set(configs.map((one) => slugOf(one.mcp_client_name))).size === configs.length;

const settings = {
  name: DisplayName,
  description: z.string().trim().max(2_000).nullable(),
  is_active: z.boolean(),
  prefix: z
    .boolean()
    .describe(
      'Whether names and resource URIs carry the integration’s slug. Without it equal names get a hash.',
    ),
  tool_mode: ToolMode,
  mcp_configs: z
    .array(ToolsetConfig)
    .max(1_000)
    .refine(isNamedOnce, 'names an mcp_client_name twice')
    .describe('What is in the toolset.'),
  virtual_key_ids: z.array(z.uuid()).max(1_000).describe('Keys that may use it; a user’s own key too.'),
  user_ids: z.array(z.uuid()).max(1_000).describe('Users that may use it with their own sign-in.'),
  roles: z.array(Role).max(64).describe('Users with one of these may use it with their own sign-in.'),
};

export const CreateToolset = z
  .strictObject({
    slug: Slug.describe('Its address is `/mcp/{slug}`. Never changes.'),
    name: settings.name,
    description: settings.description.default(null),
    is_active: settings.is_active.default(true),
    prefix: settings.prefix.default(true),
    tool_mode: settings.tool_mode.default('all'),
    mcp_configs: settings.mcp_configs.default([]),
    virtual_key_ids: settings.virtual_key_ids.default([]),
    user_ids: settings.user_ids.default([]),
    roles: settings.roles.default([]),
  })
  .meta({ id: 'CreateToolset' });
export type CreateToolsetBody = z.output<typeof CreateToolset>;

export const UpdateToolset = z
  .strictObject(z.object(settings).partial().shape)
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateToolset' });
export type UpdateToolsetBody = z.output<typeof UpdateToolset>;

export const ToolsetAnswer = z
  .strictObject({
    id: z.uuid(),
    organization_id: z.uuid(),
    slug: z.string(),
    path: z.string().describe('The address below the gateway’s origin.'),
    ...settings,
    mcp_configs: z.array(ToolsetConfig),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    warnings: z.array(z.string()).optional(),
  })
  .meta({ id: 'Toolset' });
export type ToolsetAnswerBody = z.output<typeof ToolsetAnswer>;
