import { ErrorCodeSchema } from '@switchyard/contracts';
import { z } from 'zod';

/** An `mcp.json` as it is. Entries are parsed one by one, so that a bad one does not stop the others. */
export const ImportBody = z
  .strictObject({
    mcpServers: z
      .record(z.string().min(1).max(256), z.unknown())
      .optional()
      .describe('The form of Claude and Cursor.'),
    governance: z.strictObject({ virtual_keys: z.array(z.unknown()).max(200) }).optional(),
    dry_run: z.boolean().optional(),
  })
  .refine(
    (body) => body.mcpServers !== undefined || body.governance !== undefined,
    'has neither mcpServers nor governance',
  )
  .refine((body) => Object.keys(body.mcpServers ?? {}).length <= 200, 'has more than 200 servers')
  .meta({ id: 'Import' });
export type ImportRequest = z.output<typeof ImportBody>;

export const ImportQuery = z.strictObject({
  dry_run: z.stringbool().optional().describe('Check all, create nothing.'),
});
export type ImportOptions = z.output<typeof ImportQuery>;

const texts = z.record(z.string(), z.string());

/** One server of an `mcp.json`. Clients put settings of their own beside these. */
export const McpServerEntry = z.looseObject({
  type: z.enum(['http', 'sse', 'streamable-http', 'stdio']).optional(),
  url: z.string().optional(),
  headers: texts.optional(),
  command: z.string().optional(),
  args: z.array(z.string()).optional(),
  env: texts.optional(),
  disabled: z.boolean().optional(),
});
export type McpServerEntry = z.output<typeof McpServerEntry>;

const error = z.strictObject({
  code: ErrorCodeSchema,
  message: z.string(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
});

const outcome = {
  name: z.string(),
  status: z.enum(['created', 'skipped', 'failed']).describe('In a dry run: what would be.'),
  id: z.uuid().optional(),
  error: error.optional(),
  warnings: z.array(z.string()).optional(),
};

export const ImportAnswer = z
  .strictObject({
    dry_run: z.boolean(),
    results: z.array(z.strictObject({ ...outcome, slug: z.string().nullable() })),
    virtual_keys: z.array(
      z.strictObject({ ...outcome, key: z.string().optional().describe('Shown this once.') }),
    ),
  })
  .meta({ id: 'ImportOutcome' });
export type ImportAnswerBody = z.output<typeof ImportAnswer>;
export type ServerOutcome = ImportAnswerBody['results'][number];
export type KeyOutcome = ImportAnswerBody['virtual_keys'][number];
