import type { WireTool } from '@switchyard/contracts';
import { z } from 'zod';

export const searchLimits = { usual: 10, most: 30, queryLength: 500, details: 20 };

/** Arguments of `search_tools`. */
export const SearchArguments = z.object({
  query: z.string().max(searchLimits.queryLength),
  limit: z.number().int().min(1).max(searchLimits.most).default(searchLimits.usual),
});

/** Arguments of `get_tool_details`. */
export const DetailsArguments = z.object({
  names: z.array(z.string().max(256)).min(1).max(searchLimits.details),
});

/** Arguments of `call_tool`. */
export const CallArguments = z.object({
  name: z.string().min(1).max(256),
  arguments: z.record(z.string(), z.unknown()).default({}),
});

const text = { type: 'string' };

/** What a caller in search mode is listed, however many tools there are: a few hundred tokens. */
export const searchTools: readonly WireTool[] = [
  {
    name: 'search_tools',
    title: 'Search tools',
    description:
      'Finds tools by what they do, best match first. Gives names and short descriptions; look at the details of a tool before you call it.',
    inputSchema: {
      type: 'object',
      properties: {
        query: { ...text, description: 'What you want to do, in a few words.' },
        limit: { type: 'integer', minimum: 1, maximum: searchLimits.most, default: searchLimits.usual },
      },
      required: ['query'],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: 'get_tool_details',
    title: 'Get tool details',
    description: 'Gives the whole description and the input schema of tools that search_tools found.',
    inputSchema: {
      type: 'object',
      properties: { names: { type: 'array', items: text, minItems: 1, maxItems: searchLimits.details } },
      required: ['names'],
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: 'call_tool',
    title: 'Call a tool',
    description: 'Calls a tool by its name, with arguments that fit its input schema.',
    inputSchema: {
      type: 'object',
      properties: { name: text, arguments: { type: 'object' } },
      required: ['name'],
    },
  },
];
