import { Inject, Injectable } from '@nestjs/common';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  isJSONRPCRequest,
  type McpHttpHandler,
  type McpRequestContext,
  type ServerEventBus,
} from '@modelcontextprotocol/server';
import { Log, Shutdown } from '@switchyard/service-kit';
import type { Principal } from '../auth/principal.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { type RpcRefusal, rpcErrorText } from './json-rpc.js';
import { headerOf, type McpRequest, sendJson } from './mcp-request.js';
import { McpServers } from './mcp-servers.service.js';
import { mirrorMismatch } from './mirrored-headers.js';
import { OpenStreams } from './open-streams.service.js';
import { ToolListWatch } from './tool-list-watch.service.js';

const idleMs = 300_000;
const sweepMs = 60_000;

type Entry = {
  readonly handler: McpHttpHandler;
  readonly serve: ReturnType<typeof toNodeHandler>;
  readonly release: () => void;
  running: number;
  usedAt: number;
};

/**
 * Serves 2026-07-28. One SDK handler per credential, kept while it is in use: a handler tells all its listeners of a
 * change, so that sharing one would tell callers of tools that are not theirs.
 */
@Injectable()
export class ModernFront {
  readonly #entries = new Map<string, Entry>();

  constructor(
    private readonly servers: McpServers,
    private readonly open: OpenStreams,
    private readonly watch: ToolListWatch,
    private readonly log: Log,
    shutdown: Shutdown,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'streams' | 'edge'>,
  ) {
    const timer = setInterval(() => this.#closeIdle(), sweepMs);
    shutdown.onStopTaking(() => clearInterval(timer));
    shutdown.onClose(() => [...this.#entries.keys()].forEach((id) => this.#close(id)));
  }

  /** A message that was found to be of this era, its errors included. Throws `rate_limited` for one listener too many. */
  async post(request: McpRequest, body: object): Promise<void> {
    const { principal, response, raw } = request;
    const isListen = 'method' in body && body.method === 'subscriptions/listen';
    if (isListen)
      response.once(
        'close',
        this.open.openStream(principal, 'modern', () => void response.destroy()),
      );
    const refusal = this.#mirrorRefusal(request, body);
    if (refusal) return sendJson(response, refusal.httpStatus, rpcErrorText(refusal));
    const entry = this.#entryOf(principal);
    entry.running++;
    response.once('close', () => {
      entry.running--;
      entry.usedAt = Date.now();
    });
    await entry.serve(raw, response, body);
  }

  #mirrorRefusal({ principal, headers }: McpRequest, body: object): RpcRefusal | undefined {
    if (!isJSONRPCRequest(body) || body.method !== 'tools/call') return undefined;
    const { name, arguments: args } = body.params ?? {};
    if (typeof name !== 'string') return undefined;
    const schema = this.servers.inputSchemaOf(principal.caller, name);
    const refusal = mirrorMismatch(schema, args, (header) => headerOf(headers, header));
    return refusal && { ...refusal, id: body.id };
  }

  #entryOf(principal: Principal): Entry {
    const known = this.#entries.get(principal.credentialId);
    if (known) return known;
    const handler = createMcpHandler((context) => this.#server(principal, context), {
      legacy: 'reject',
      bus: this.#bus(principal),
      maxSubscriptions: this.config.streams.maxPerPrincipal,
      maxRequestBodySize: this.config.edge.bodyLimitBytes,
      keepAliveMs: this.config.streams.keepAliveMs,
      onerror: (err) => this.log.debug({ err }, 'an MCP request was refused'),
    });
    const serve = toNodeHandler(handler, {
      onerror: (err) => this.log.error({ err }, 'an MCP request failed'),
    });
    const release = this.open.openRequest(principal, () => this.#close(principal.credentialId));
    const entry = { handler, serve, release, running: 0, usedAt: Date.now() };
    this.#entries.set(principal.credentialId, entry);
    return entry;
  }

  #server({ caller, userToken }: Principal, { requestInfo }: McpRequestContext) {
    const headers = requestInfo?.headers;
    return this.servers.create(headers?.get('mcp-method') ?? undefined, {
      caller,
      userToken,
      idempotencyKey: headers?.get('idempotency-key') ?? undefined,
      traceparent: headers?.get('traceparent') ?? undefined,
    });
  }

  /** Events come from the snapshot, which every replica has; nobody publishes here. */
  #bus(principal: Principal): ServerEventBus {
    return {
      publish: () => undefined,
      subscribe: (listener) =>
        this.watch.subscribe(principal, () => listener({ kind: 'tools_list_changed' })),
    };
  }

  #closeIdle(): void {
    for (const [id, { running, usedAt }] of this.#entries) {
      if (running === 0 && Date.now() - usedAt > idleMs) this.#close(id);
    }
  }

  #close(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    entry.release();
    entry.handler.close().catch((err: unknown) => this.log.warn({ err }, 'an MCP handler did not close'));
  }
}
