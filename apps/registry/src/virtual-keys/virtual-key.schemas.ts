import { PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';
import { DisplayName, RateLimit, ToolMode } from '../http/fields.js';
import { McpConfig, McpConfigs } from '../mcp-configs/mcp-config.schemas.js';

const ExpiresAt = z.iso
  .datetime({ offset: true })
  .refine((text) => Date.parse(text) > Date.now(), 'must be in the future')
  .nullable();

const UserId = z
  .uuid()
  .nullable()
  .describe('The user as whom its bearer calls, for good. Null: a machine’s key, with nobody behind it.');

const CallLimit = RateLimit.nullable().describe(
  'Calls by this key; one over it is refused with the time to wait. Null: the organization’s `user_rate_limit` where the key is a user’s.',
);

export const CreateVirtualKey = z
  .strictObject({
    name: DisplayName,
    mcp_configs: McpConfigs.default([]),
    expires_at: ExpiresAt.default(null),
    user_id: UserId.default(null),
    rate_limit: CallLimit.default(null),
    tool_mode: ToolMode.default('all'),
  })
  .meta({ id: 'CreateVirtualKey' });
export type CreateVirtualKeyBody = z.output<typeof CreateVirtualKey>;

export const UpdateVirtualKey = z
  .strictObject({
    name: DisplayName.optional(),
    mcp_configs: McpConfigs.optional(),
    expires_at: ExpiresAt.optional(),
    rate_limit: CallLimit.optional(),
    tool_mode: ToolMode.optional(),
  })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateVirtualKey' });
export type UpdateVirtualKeyBody = z.output<typeof UpdateVirtualKey>;

export const ListVirtualKeys = z.strictObject({
  ...PageQuery.shape,
  status: z.enum(['active', 'expired', 'revoked']).optional(),
  user_id: z.uuid().optional().describe('Keys of this user.'),
});
export type ListVirtualKeysQuery = z.output<typeof ListVirtualKeys>;

const virtualKey = {
  id: z.uuid(),
  organization_id: z.uuid(),
  name: z.string(),
  mcp_configs: z.array(McpConfig),
  status: z.enum(['active', 'expired', 'revoked']),
  user_id: UserId,
  rate_limit: CallLimit,
  tool_mode: ToolMode,
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
