import { McpServer, type ServerContext, type StandardSchemaWithJSON } from '@modelcontextprotocol/server';
import { callerMetaKey, LocalCaller, policyMetaKey } from '@switchyard/contracts';
import type { LocalTool } from './define-tool.js';
import { runTool } from './run-tool.js';

/** The MCP server of a folder's tools. Arguments that a schema refuses never reach the handler. */
export function toolServer(tools: readonly LocalTool[]): McpServer {
  const server = new McpServer(
    { name: 'switchyard-local-tools', version: '0.1.0' },
    { capabilities: { tools: { listChanged: false } } },
  );
  for (const tool of tools) register(server, tool);
  return server;
}

function register(server: McpServer, tool: LocalTool): void {
  const { name, title, description, input, output, annotations, policy } = tool;
  const config = {
    ...{ title, description, annotations, inputSchema: input },
    ...(output && { outputSchema: described(output) }),
    ...(policy && { _meta: { [policyMetaKey]: policy } }),
  };
  server.registerTool(name, config, (args: Record<string, unknown>, { mcpReq }: ServerContext) =>
    runTool(tool, args, { caller: callerOf(mcpReq._meta), signal: mcpReq.signal }),
  );
}

/** The results are parsed by us, once: what the schema transforms it would not take again. */
function described(schema: StandardSchemaWithJSON): StandardSchemaWithJSON {
  return { '~standard': { ...schema['~standard'], validate: (value) => ({ value }) } };
}

function callerOf(meta: Record<string, unknown> | undefined): LocalCaller | null {
  return LocalCaller.safeParse(meta?.[callerMetaKey]).data ?? null;
}
