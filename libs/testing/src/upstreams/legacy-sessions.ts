import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import type { Server } from '@modelcontextprotocol/server';

export type LegacyOptions = {
  newServer: () => Server;
  /** How POSTs are answered. With `json` a server can send no progress. */
  responses: 'sse' | 'json';
  /** What a request with an unknown session is answered with: 404 by the specification, 400 by many servers. */
  lostSessionStatus: 404 | 400;
};

type Session = { server: Server; transport: NodeStreamableHTTPServerTransport };

/** The sessions of 2025-era clients. */
export class LegacySessions {
  private readonly sessions = new Map<string, Session>();

  constructor(private readonly options: LegacyOptions) {}

  get size(): number {
    return this.sessions.size;
  }

  async handle(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<void> {
    const id = req.headers['mcp-session-id'];
    if (typeof id === 'string') {
      const session = this.sessions.get(id);
      if (!session) return this.refuse(res);
      return session.transport.handleRequest(req, res, body);
    }
    const session = await this.open();
    return session.transport.handleRequest(req, res, body);
  }

  async toolsChanged(): Promise<void> {
    await this.tellAll((server) => server.sendToolListChanged());
  }

  async featuresChanged(): Promise<void> {
    await this.tellAll((server) => server.sendPromptListChanged());
    await this.tellAll((server) => server.sendResourceListChanged());
  }

  /** Tells each server's client something; who is gone is not told. */
  async tellAll(tell: (server: Server) => Promise<void> | undefined): Promise<void> {
    await Promise.all([...this.sessions.values()].map(({ server }) => tell(server)?.catch(() => undefined)));
  }

  /** As after a restart: every session id is unknown from now on. */
  async forget(): Promise<void> {
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    await Promise.all(sessions.map(({ server }) => server.close().catch(() => undefined)));
  }

  private async open(): Promise<Session> {
    const server = this.options.newServer();
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      enableJsonResponse: this.options.responses === 'json',
      onsessioninitialized: (id) => void this.sessions.set(id, { server, transport }),
      onsessionclosed: (id) => void this.sessions.delete(id),
    });
    await server.connect(transport);
    return { server, transport };
  }

  private refuse(res: ServerResponse): void {
    const status = this.options.lostSessionStatus;
    const error =
      status === 404
        ? { code: -32001, message: 'Session not found' }
        : { code: -32000, message: 'Bad Request: No valid session ID provided' };
    res
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', error, id: null }));
  }
}
