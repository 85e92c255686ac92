import { namePattern } from '@switchyard/access';
import { z } from 'zod';
import { DisplayName } from '../http/fields.js';
import { patternProblem } from '../policies/claim-matcher.schemas.js';
import { maxPatterns, maxPatternSize } from './pattern-limits.js';

const maxRegexLength = 100;

const NamePattern = z
  .string()
  .min(1)
  .max(256)
  .refine(
    (pattern) => !pattern.startsWith('regex:') || pattern.length <= 'regex:'.length + maxRegexLength,
    `must have at most ${maxRegexLength} characters as a regular expression`,
  )
  .superRefine((pattern, context) => {
    const problem = patternProblem(() => namePattern(pattern));
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

const ToolSelector = z
  .strictObject({
    client: NamePattern.optional().describe(
      'Over the integration’s slug: a glob (`*`, `?`), or `regex:` and a regular expression over the whole name.',
    ),
    tool: NamePattern.optional().describe(
      'The same over the tool’s name: the upstream’s or the outward one.',
    ),
    read_only: z.boolean().optional().describe('What the vendor’s `readOnlyHint` says; absent means false.'),
    destructive: z
      .boolean()
      .optional()
      .describe('Not read-only, and not said to be harmless by `destructiveHint`.'),
  })
  .refine((selector) => Object.values(selector).some((value) => value !== undefined), 'says nothing');
export type ToolSelector = z.output<typeof ToolSelector>;

const OutwardNames = z.array(z.string().min(1).max(64)).max(1_000);

const settings = {
  selectors: z
    .array(ToolSelector)
    .max(100)
    .describe(
      `A tool is in the group if it fits any of them in every part. All groups of an organization together hold at most ${maxPatterns} patterns; regular expressions, and globs with both * and ?, have at most ${maxPatternSize} characters in all, counted repetitions written out.`,
    ),
  include: OutwardNames.describe('Outward names that are in the group in any case.'),
  exclude: OutwardNames.describe('Outward names that are not in it, whatever else says so.'),
};

export const CreateToolGroup = z
  .strictObject({
    name: DisplayName,
    selectors: settings.selectors.default([]),
    include: settings.include.default([]),
    exclude: settings.exclude.default([]),
  })
  .meta({ id: 'CreateToolGroup' });
export type CreateToolGroupBody = z.output<typeof CreateToolGroup>;

export const UpdateToolGroup = z
  .strictObject({ name: DisplayName.optional(), ...z.object(settings).partial().shape })
  .refine((body) => Object.keys(body).length > 0, 'names nothing to change')
  .meta({ id: 'UpdateToolGroup' });
export type UpdateToolGroupBody = z.output<typeof UpdateToolGroup>;

export const ToolGroupAnswer = z
  .strictObject({
    id: z.uuid(),
    organization_id: z.uuid(),
    name: z.string(),
    ...settings,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'ToolGroup' });
export type ToolGroupAnswerBody = z.output<typeof ToolGroupAnswer>;

export const GroupedToolAnswer = z
  .strictObject({
    outward_name: z.string(),
    integration_id: z.uuid(),
    mcp_client_name: z.string(),
    name: z.string().describe('The upstream’s name.'),
    title: z.string().nullable(),
    description: z.string().nullable(),
  })
  .meta({ id: 'GroupedTool' });
export type GroupedToolAnswerBody = z.output<typeof GroupedToolAnswer>;
