import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { text as readText } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { toNodeHandler, toWebRequest } from '@modelcontextprotocol/node';
import { createMcpHandler, isLegacyRequest, type McpHttpHandler } from '@modelcontextprotocol/server';
import { CallLog, type RecordedCall } from './call-log.js';
import { Faults, type Fault } from './faults.js';
import { control } from './fixture-control.js';
import type { FixtureFeatures } from './fixture-features.js';
import { fixtureServer, type FixtureState } from './fixture-server.js';
import type { FixtureTool } from './fixture-tool.js';
import { fixtureTools, generatedTools } from './fixture-tools.js';
import { LegacySessions } from './legacy-sessions.js';

export type FixtureOptions = {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Which revisions it speaks: up to 2025-11-25, 2026-07-28, or (by default) both. */
  era?: 'legacy' | 'modern' | 'both';
  responses?: 'sse' | 'json';
  lostSessionStatus?: 404 | 400;
  /** Tools besides the usual ones. */
  generated?: number;
  pageSize?: number;
  endlessList?: boolean;
  /** Every request must have these headers, or is answered with 401. */
  requiredHeaders?: Record<string, string>;
  /** Whether a request may go on; if not, it has been answered. */
  guard?: (req: IncomingMessage, res: ServerResponse, body: unknown) => Promise<boolean>;
  /** Where calls are written to, a line each (`readCalls`). */
  callsFile?: string;
  /** Replaces the usual tools. */
  tools?: FixtureTool[];
  name?: string;
  /** What it tells clients about itself. */
  instructions?: string;
  /** Prompts, resources and completion. */
  features?: FixtureFeatures;
  extend?: FixtureState['extend'];
  capabilities?: FixtureState['capabilities'];
};

/** A real MCP server for tests, on a loopback port. */
export type FixtureUpstream = {
  url: string;
  port: number;
  /** The calls of tools with an effect, in order. */
  calls: RecordedCall[];
  callsOf: (tool: string) => RecordedCall[];
  /** The JSON-RPC methods that were asked for, in order. */
  requests: string[];
  sessionCount: () => number;
  tools: () => FixtureTool[];
  /** Changes the list of tools and tells every client. */
  setTools: (tools: FixtureTool[]) => Promise<void>;
  /** Changes prompts and resources and tells every client. */
  setFeatures: (features: FixtureFeatures) => Promise<void>;
  /** Tells whoever subscribed that a resource changed. */
  resourceUpdated: (uri: string) => Promise<void>;
  /** What 2025-era clients are subscribed to now. */
  subscribed: () => string[];
  forgetSessions: () => Promise<void>;
  failNext: (fault: Fault) => void;
  clearFaults: () => void;
  /** Cuts every connection; the server goes on. */
  dropConnections: () => void;
  close: () => Promise<void>;
};

/** Starts a fixture upstream. It can be closed and started again on its port. */
export async function startFixtureUpstream(options: FixtureOptions = {}): Promise<FixtureUpstream> {
  const fixture = new Fixture(options);
  const http = await listen((req, res) => fixture.handle(req, res), options.port ?? 0);
  const { port } = http.address() as AddressInfo;
  return {
    ...fixture.controls(),
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    dropConnections: () => http.closeAllConnections(),
    close: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await Promise.all([closed, fixture.close()]);
    },
  };
}

/** What the HTTP server hands its requests to. */
class Fixture {
  private readonly state: FixtureState;
  private readonly faults = new Faults();
  private readonly requests: string[] = [];
  private readonly legacy: LegacySessions;
  private readonly modern: McpHttpHandler;

  constructor(private readonly options: FixtureOptions) {
    this.state = stateOf(options);
    const { responses = 'sse', lostSessionStatus = 404 } = options;
    this.legacy = new LegacySessions({
      newServer: () => fixtureServer(this.state),
      responses,
      lostSessionStatus,
    });
    this.modern = createMcpHandler(() => fixtureServer(this.state), {
      legacy: 'reject',
      responseMode: 'auto',
    });
    this.state.toolsChanged = async () => {
      this.modern.notify.toolsChanged();
      await this.legacy.toolsChanged();
    };
    this.state.resourceUpdated = async (uri) => {
      this.modern.notify.resourceUpdated(uri);
      const { subscriptions } = this.state;
      await this.legacy.tellAll((server) =>
        subscriptions.get(server)?.has(uri) ? server.sendResourceUpdated({ uri }) : undefined,
      );
    };
  }

  controls(): Omit<FixtureUpstream, 'url' | 'port' | 'close' | 'dropConnections'> {
    const { state, faults, legacy, requests } = this;
    return {
      calls: state.log.calls,
      callsOf: (tool) => state.log.of(tool),
      requests,
      sessionCount: () => legacy.size,
      tools: () => state.tools,
      setTools: async (tools) => {
        state.tools = tools;
        await state.toolsChanged();
      },
      setFeatures: async (features) => {
        state.features = features;
        this.modern.notify.promptsChanged();
        this.modern.notify.resourcesChanged();
        await legacy.featuresChanged();
      },
      resourceUpdated: (uri) => state.resourceUpdated(uri),
      subscribed: () => [...state.subscriptions.values()].flatMap((uris) => [...uris]),
      forgetSessions: () => {
        state.subscriptions.clear();
        return legacy.forget();
      },
      failNext: (fault) => faults.add(fault),
      clearFaults: () => faults.clear(),
    };
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = parse(req.method === 'POST' ? await readText(req) : '');
    if (req.url?.startsWith('/_fixture/')) return control(this.controls(), req, res, body);
    if (!hasHeaders(req, this.options.requiredHeaders)) return unauthorized(res);
    if (this.options.guard && !(await this.options.guard(req, res, body))) return;
    const { method = req.method ?? '' } = (body ?? {}) as { method?: string };
    this.requests.push(method);
    if (await this.faults.apply(req, res, body)) return;
    if (await this.isForModern(req, body)) return toNodeHandler(this.modern)(req, res, body);
    return this.legacy.handle(req, res, body);
  }

  async close(): Promise<void> {
    await Promise.all([this.modern.close(), this.legacy.forget()]);
  }

  private async isForModern(req: IncomingMessage, body: unknown): Promise<boolean> {
    const { era = 'both' } = this.options;
    if (era !== 'both') return era === 'modern';
    return req.method === 'POST' && !(await isLegacyRequest(await toWebRequest(req, body), body));
  }
}

function stateOf(options: FixtureOptions): FixtureState {
  return {
    tools: [...(options.tools ?? fixtureTools()), ...generatedTools(options.generated ?? 0)],
    log: new CallLog(options.callsFile),
    pageSize: options.pageSize ?? 200,
    endlessList: options.endlessList ?? false,
    name: options.name ?? 'fixture-upstream',
    instructions: options.instructions ?? 'A server for tests.',
    features: options.features,
    subscriptions: new Map(),
    toolsChanged: async () => undefined,
    resourceUpdated: async () => undefined,
    extend: options.extend,
    capabilities: options.capabilities,
  };
}

async function listen(
  handle: (req: IncomingMessage, res: ServerResponse) => Promise<void>,
  port: number,
): Promise<HttpServer> {
  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      if (!res.headersSent) res.writeHead(500);
      res.end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', resolve),
  );
  return server;
}

function parse(body: string): unknown {
  try {
    return body === '' ? undefined : (JSON.parse(body) as unknown);
  } catch {
    return body;
  }
}

function hasHeaders(req: IncomingMessage, required: Record<string, string> = {}): boolean {
  return Object.entries(required).every(([name, value]) => req.headers[name.toLowerCase()] === value);
}

function unauthorized(res: ServerResponse): void {
  res.writeHead(401, { 'www-authenticate': 'Bearer realm="fixture"' }).end();
}
