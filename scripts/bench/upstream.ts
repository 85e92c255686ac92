/**
 * The MCP server that is called in every measurement, a process of its own: the official SDK in both eras, and as
 * little else as possible. `/echo` has the tools that are called, `/tools-<n>` has n tools that are listed.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { NodeStreamableHTTPServerTransport, toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, Server, type Tool } from '@modelcontextprotocol/server';

type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

const sleepMs = 1_000;

const echoTools: Tool[] = [
  tool('echo', 'Answers with the text that it was given.', true),
  tool('echo_unsafe', 'The same, without a word on being safe to repeat.', false),
  tool('sleep', 'Answers after one second.', true),
];

const endpoints = new Map<string, Handler>();
const server = createServer((request, response) => {
  endpointOf(request.url ?? '')(request, response).catch(() => response.destroy());
});
server.keepAliveTimeout = 75_000;
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());

function endpointOf(path: string): Handler {
  const known = endpoints.get(path);
  if (known) return known;
  const count = /^\/tools-(\d{1,5})$/.exec(path)?.[1];
  const made = endpoint(count === undefined ? echoTools : manyTools(Number(count)));
  endpoints.set(path, made);
  return made;
}

/** Both eras on one path: a request of the modern one names its method in a header. */
function endpoint(tools: Tool[]): Handler {
  const modern = toNodeHandler(createMcpHandler(() => mcpServer(tools), { legacy: 'reject' }));
  const legacy = legacyHandler(tools);
  return (request, response) =>
    request.headers['mcp-method'] === undefined ? legacy(request, response) : modern(request, response);
}

function legacyHandler(tools: Tool[]): Handler {
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>();
  return async (request, response) => {
    const known = sessions.get(String(request.headers['mcp-session-id']));
    if (known) return known.handleRequest(request, response);
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await mcpServer(tools).connect(transport);
    await transport.handleRequest(request, response);
  };
}

function mcpServer(tools: Tool[]): Server {
  const server = new Server({ name: 'bench', version: '1' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools }));
  server.setRequestHandler('tools/call', async ({ params }) => {
    if (params.name === 'sleep') await delay(sleepMs);
    return { content: [{ type: 'text', text: String(params.arguments?.text) }] };
  });
  return server;
}

function manyTools(count: number): Tool[] {
  return Array.from({ length: count }, (_, index) =>
    tool(
      `tool_${index}`,
      `Number ${index} of many, described in about as many words as tools are described in.`,
      true,
    ),
  );
}

function tool(name: string, description: string, isSafe: boolean): Tool {
  return {
    name,
    description,
    inputSchema: {
      type: 'object',
      properties: {
        text: { type: 'string', description: 'The text.', maxLength: 10_000 },
        count: { type: 'integer', description: 'How often.', minimum: 0, maximum: 100 },
        mode: { type: 'string', enum: ['plain', 'quoted'], description: 'How it is written.' },
      },
      required: ['text'],
      additionalProperties: false,
    },
    ...(isSafe && { annotations: { readOnlyHint: true } }),
  };
}
