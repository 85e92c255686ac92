import type { CallToolResult, ServerContext, Tool } from '@modelcontextprotocol/server';
import type { CallLog } from './call-log.js';

/** What a tool finds when it is called. */
export type ToolRun = {
  args: Record<string, unknown>;
  ctx: ServerContext;
  log: CallLog;
  /** Sends a progress notification, if the caller wants any. */
  progress: (progress: number, total?: number, message?: string) => Promise<void>;
  /** Tells every client that the list of tools changed. */
  toolsChanged: () => Promise<void>;
  /** Tells every client that subscribed to it that a resource changed. */
  resourceUpdated: (uri: string) => Promise<void>;
};

/** A tool of a fixture: its wire object, and what it does. */
export type FixtureTool = { wire: Tool; run: (run: ToolRun) => Promise<unknown> | unknown };

/** A tool without arguments unless `properties` says otherwise. */
export function defineTool(
  name: string,
  wire: Partial<Tool> & { properties?: Record<string, object>; required?: string[] },
  run: FixtureTool['run'],
): FixtureTool {
  const { properties = {}, required, ...rest } = wire;
  const inputSchema: Tool['inputSchema'] = {
    type: 'object',
    properties: properties as never,
    ...(required && { required }),
  };
  return { wire: { name, description: `The fixture’s tool ${name}.`, inputSchema, ...rest }, run };
}

/** A result of one text. */
export function textResult(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] };
}
