import { PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';

export const ListTools = z.strictObject({
  ...PageQuery.shape,
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
    disabled_reason: z.string().nullable().describe('Why catalog-sync does not offer it.'),
    disabled_detail: z.string().nullable(),
    safe: z.boolean().describe('Whether a call may be sent twice.'),
    deadline_ms: z.int().nullable(),
    override: z
      .strictObject({
        enabled: z.boolean().optional(),
        safe: z.boolean().optional(),
        deadline_ms: z.int().optional(),
        cache_seconds: z.int().optional(),
      })
      .nullable(),
    last_seen_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'IntegrationTool' });
export type IntegrationToolAnswerBody = z.input<typeof IntegrationToolAnswer>;
