import { PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';
import { Mode } from '../approval-terms/approval-terms.schemas.js';

const PinState = z
  .enum(['approved', 'pending', 'changed'])
  .describe(
    '`pending`: never approved; `changed`: approved in another form. Heeded where the integration is pinned.',
  );
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');

export const ListTools = z.strictObject({
  ...PageQuery.shape,
  pin_state: PinState.optional(),
  enabled: z.stringbool().optional().describe('Only the tools that are offered, or only those that are not.'),
});
export type ListToolsQuery = z.output<typeof ListTools>;

const hidden = [
  'disabled_in_catalog',
  'disabled_by_admin',
  'not_in_tools_to_execute',
  'in_tools_to_skip',
  'not_approved',
] as const;

export const IntegrationToolAnswer = z
  .strictObject({
    name: z.string().describe('The upstream’s name.'),
    outward_name: z.string().describe('The name by which callers know it.'),
    title: z.string().nullable(),
    description: z.string().nullable(),
    input_schema: z.looseObject({}),
    output_schema: z.looseObject({}).nullable(),
    annotations: z.looseObject({}).nullable(),
    enabled: z.boolean().describe('Whether it is offered to callers with a grant.'),
    hidden_because: z.enum(hidden).nullable(),
    pin_state: PinState,
    wire_sha256: z.string().describe('Of the whole wire object: what an approval names.'),
    warnings: z
      .array(z.string())
      .describe('What to look at before anybody calls it, such as hidden characters.'),
    disabled_reason: z.string().nullable().describe('Why catalog-sync does not offer it.'),
    disabled_detail: z.string().nullable(),
    safe: z.boolean().describe('Whether a call may be sent twice.'),
    deadline_ms: z.int().nullable(),
    execution: Mode.nullable().describe(
      'For calls that no agent makes: `/mcp`, BFF, `/v1/mcp`, async API. Null: not known yet. An agent’s tools are at `/api/agents/{id}/tools`.',
    ),
    override: z
      .strictObject({
        enabled: z.boolean().optional(),
        safe: z.boolean().optional(),
        deadline_ms: z.int().optional(),
        cache_seconds: z.int().optional(),
        policy: Mode.optional(),
      })
      .nullable(),
    last_seen_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'IntegrationTool' });
export type IntegrationToolAnswerBody = z.input<typeof IntegrationToolAnswer>;

export const ApproveTools = z
  .strictObject({
    tools: z
      .union([
        z.literal('all'),
        z
          .array(z.strictObject({ name: z.string().min(1).max(256), wire_sha256: Sha256 }))
          .min(1)
          .max(10_000),
      ])
      .describe(
        'Each with the digest that the admin saw, or `all` that wait, in the form that they have as the request comes in.',
      ),
  })
  .meta({ id: 'ApproveTools' });
export type ApproveToolsBody = z.output<typeof ApproveTools>;

export const ToolsApproved = z
  .strictObject({
    integration_id: z.uuid(),
    approved: z.int().describe('How many tools were not approved in this form before.'),
  })
  .meta({ id: 'ToolsApproved' });
export type ToolsApprovedBody = z.output<typeof ToolsApproved>;

export const ToolChangeAnswer = z
  .strictObject({
    name: z.string(),
    pin_state: PinState,
    wire_sha256: z.string(),
    approved_sha256: z.string().nullable(),
    approved_at: z.iso.datetime().nullable(),
    approved: z
      .looseObject({})
      .nullable()
      .describe('The wire object that was approved; null: none ever was.'),
    current: z.looseObject({}),
    changes: z
      .array(
        z.strictObject({ path: z.string(), before: z.unknown().optional(), after: z.unknown().optional() }),
      )
      .describe(
        'JSON pointers into the wire object. Without `before` it is new, without `after` it is gone.',
      ),
  })
  .meta({ id: 'ToolChange' });
export type ToolChangeAnswerBody = z.input<typeof ToolChangeAnswer>;
