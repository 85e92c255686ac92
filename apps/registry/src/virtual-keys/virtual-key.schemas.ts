import { slugOf } from '@switchyard/access';
import { PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';
import { DisplayName, ToolNames } from '../http/fields.js';

const McpConfig = z.strictObject({
  mcp_client_name: z
    .string()
    .min(1)
    .max(64)
    .describe('An integration’s slug; `web_search` means `web-search`.'),
  tools_to_execute: ToolNames.default(null).describe('`["*"]` or null: all tools. Empty: none. Else these.'),
});
export type McpConfig = z.output<typeof McpConfig>;

export const McpConfigs = z
  .array(McpConfig)
  .max(1_000)
  .refine(
    (configs) => new Set(configs.map((one) => slugOf(one.mcp_client_name))).size === configs.length,
    'names an mcp_client_name twice',
  )
  .describe('What the key grants. Without any it grants nothing.');

const ExpiresAt = z.iso
  .datetime({ offset: true })
  .refine((text) => Date.parse(text) > Date.now(), 'must be in the future')
  .nullable();

export const CreateVirtualKey = z
  .strictObject({
    name: DisplayName,
    mcp_configs: McpConfigs.default([]),
    expires_at: ExpiresAt.default(null),
  })
  .meta({ id: 'CreateVirtualKey' });
export type CreateVirtualKeyBody = z.output<typeof CreateVirtualKey>;

export const UpdateVirtualKey = z
  .strictObject({
    name: DisplayName.optional(),
    mcp_configs: McpConfigs.optional(),
    expires_at: ExpiresAt.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateVirtualKey' });
export type UpdateVirtualKeyBody = z.output<typeof UpdateVirtualKey>;

export const ListVirtualKeys = z.strictObject({
  ...PageQuery.shape,
  status: z.enum(['active', 'expired', 'revoked']).optional(),
});
export type ListVirtualKeysQuery = z.output<typeof ListVirtualKeys>;

const virtualKey = {
  id: z.uuid(),
  organization_id: z.uuid(),
  name: z.string(),
  mcp_configs: z.array(McpConfig),
  status: z.enum(['active', 'expired', 'revoked']),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
  warnings: z.array(z.string()).optional(),
};

export const VirtualKeyAnswer = z.strictObject(virtualKey).meta({ id: 'VirtualKey' });
export type VirtualKeyAnswerBody = z.output<typeof VirtualKeyAnswer>;

export const NewVirtualKeyAnswer = z
  .strictObject({ ...virtualKey, key: z.string().describe('`vk_…`; shown this once.') })
  .meta({ id: 'NewVirtualKey' });
export type NewVirtualKeyAnswerBody = z.output<typeof NewVirtualKeyAnswer>;
