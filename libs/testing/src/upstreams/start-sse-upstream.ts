import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { RecordedCall } from './call-log.js';

/** An upstream over the HTTP+SSE transport of 2024-11-05, made with the SDK of its time. */
export type SseUpstream = {
  url: string;
  port: number;
  calls: RecordedCall[];
  /** Tells every client that the list of tools changed. */
  toolsChanged: () => Promise<void>;
  dropConnections: () => void;
  close: () => Promise<void>;
};

const tools = ['echo', 'count-side-effect', 'hang'].map((name) => ({
  name,
  inputSchema: { type: 'object' as const },
}));

/** Starts it; `/sse` is where clients connect to. */
export async function startSseUpstream(options: { port?: number } = {}): Promise<SseUpstream> {
  const sessions = new Map<string, { server: Server; transport: SSEServerTransport }>();
  const calls: RecordedCall[] = [];
  const http = createServer((req, res) => {
    const url = new URL(req.url ?? '', 'http://localhost');
    if (req.method === 'GET') {
      const transport = new SSEServerTransport('/messages', res);
      const server = newServer(calls);
      sessions.set(transport.sessionId, { server, transport });
      res.on('close', () => sessions.delete(transport.sessionId));
      return void server.connect(transport);
    }
    const session = sessions.get(url.searchParams.get('sessionId') ?? '');
    if (!session) return void res.writeHead(404).end('Session not found');
    void session.transport.handlePostMessage(req, res);
  });
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/sse`,
    port,
    calls,
    toolsChanged: async () => {
      for (const { server } of sessions.values()) await server.sendToolListChanged();
    },
    dropConnections: () => http.closeAllConnections(),
    close: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
  };
}

function newServer(calls: RecordedCall[]): Server {
  const server = new Server(
    { name: 'sse-upstream', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } } },
  );
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
    calls.push({ tool: params.name, arguments: params.arguments ?? {}, at: Date.now() });
    if (params.name === 'hang') await new Promise(() => undefined);
    return { content: [{ type: 'text', text: `${params.name}: ${JSON.stringify(params.arguments)}` }] };
  });
  return server;
}
