import { slugOf } from '@switchyard/access';
import { z } from 'zod';
import { ToolNames } from '../http/fields.js';

export const McpConfig = z.strictObject({
  mcp_client_name: z
    .string()
    .min(1)
    .max(64)
    .describe('An integration’s slug; `web_search` means `web-search`.'),
  tools_to_execute: ToolNames.default(null).describe('`["*"]` or null: all tools. Empty: none. Else these.'),
  prompts: z
    .boolean()
    .optional()
    .describe('Absent: prompts go with a list that covers every tool. True: in any case. False: never.'),
  resources: z.boolean().optional().describe('As for prompts.'),
});
export type McpConfig = z.output<typeof McpConfig>;

const namedTwice = 'names an mcp_client_name twice';
const isNamedOnce = (configs: readonly { mcp_client_name: string }[]) =>
  new Set(configs.map((one) => slugOf(one.mcp_client_name))).size === configs.length;

export const McpConfigs = z
  .array(McpConfig)
  .max(1_000)
  .refine(isNamedOnce, namedTwice)
  .describe('What is granted. Without any it is nothing.');

/** Agents use tools alone. */
export const AgentGrants = z
  .array(McpConfig.pick({ mcp_client_name: true, tools_to_execute: true }))
  .max(1_000)
  .refine(isNamedOnce, namedTwice)
  .describe('What the agent may use. Without any it is nothing.');
export type AgentGrants = z.output<typeof AgentGrants>;
