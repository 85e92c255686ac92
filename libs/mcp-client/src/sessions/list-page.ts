import type { Client, RequestOptions } from '@modelcontextprotocol/client';
import type { Exchange } from './exchange.js';
import { isShallow } from './is-shallow.js';

type Tool = { name?: unknown; inputSchema?: { type?: unknown } };

/**
 * What the SDK sees of a page: no tools but those with `x-mcp-header`, whose declarations it judges (SEP-2243: a tool
 * with an invalid one must be left out). All else of the page stays as it came.
 */
export function pageStandIn(page: unknown): Record<string, unknown> {
  const judged = toolsOf(page)
    .filter(
      (tool) => typeof tool.name === 'string' && tool.inputSchema?.type === 'object' && declaresHeader(tool),
    )
    .map(({ name, inputSchema }) => ({ name, inputSchema }));
  return { resultType: 'complete', tools: judged, ttlMs: 0, cacheScope: 'private' };
}

/** Fetches one page within an exchange that was opened with `pageStandIn`. */
export async function listPage(
  client: Client,
  exchange: Exchange,
  cursor: string | undefined,
  options: RequestOptions,
): Promise<unknown> {
  const accepted = await client.listTools(cursor === undefined ? undefined : { cursor }, {
    ...options,
    cacheMode: 'bypass',
  });
  const page = exchange.result;
  const names = new Set(accepted.tools.map((tool) => tool.name));
  const judged = (pageStandIn(page)['tools'] as Tool[]).filter((tool) => !names.has(tool.name as string));
  if (judged.length === 0) return page;
  const refused = new Set(judged.map((tool) => tool.name));
  return { ...(page as object), tools: toolsOf(page).filter((tool) => !refused.has(tool.name)) };
}

function toolsOf(page: unknown): Tool[] {
  const { tools } = (page ?? {}) as { tools?: unknown };
  return Array.isArray(tools)
    ? tools.filter((tool): tool is Tool => typeof tool === 'object' && tool !== null)
    : [];
}

function declaresHeader(tool: Tool): boolean {
  return isShallow(tool.inputSchema) && JSON.stringify(tool.inputSchema).includes('"x-mcp-header"');
}
