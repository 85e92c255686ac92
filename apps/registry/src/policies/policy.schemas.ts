import { Role } from '@switchyard/contracts';
import { z } from 'zod';
import { DisplayName } from '../http/fields.js';
import { McpConfig, McpConfigs } from '../mcp-configs/mcp-config.schemas.js';

const Roles = z
  .array(Role)
  .max(64)
  .nullable()
  .describe('Users with one of these. Null: every signed-in user of the organization. Empty: nobody.');

export const CreatePolicy = z
  .strictObject({
    name: DisplayName,
    roles: Roles.default(null),
    mcp_configs: McpConfigs.default([]),
    is_active: z.boolean().default(true),
  })
  .meta({ id: 'CreatePolicy' });
export type CreatePolicyBody = z.output<typeof CreatePolicy>;

export const UpdatePolicy = z
  .strictObject({
    name: DisplayName.optional(),
    roles: Roles.optional(),
    mcp_configs: McpConfigs.optional(),
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
    mcp_configs: z.array(McpConfig),
    is_active: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    warnings: z.array(z.string()).optional(),
  })
  .meta({ id: 'Policy' });
export type PolicyAnswerBody = z.output<typeof PolicyAnswer>;
