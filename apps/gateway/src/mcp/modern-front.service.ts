import { AsyncLocalStorage } from 'node:async_hooks';
import { Inject, Injectable } from '@nestjs/common';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  isJSONRPCRequest,
  type McpHttpHandler,
  type ServerEventBus,
} from '@modelcontextprotocol/server';
import { Log, Shutdown } from '@switchyard/service-kit';
import type { Principal } from '../auth/principal.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { CallerLeft } from '../tool-calls/prepared-call.js';
import { type RpcRefusal, rpcErrorText } from './json-rpc.js';
import { headerOf, type McpRequest, ownerOf, sendJson } from './mcp-request.js';
import { McpServers } from './mcp-servers.service.js';
import { mirrorMismatch } from './mirrored-headers.js';
import { OpenStreams } from './open-streams.service.js';
import { ResourceWatch } from './resource-watch.service.js';
import { ToolListWatch } from './tool-list-watch.service.js';
import { isObject } from './upstream-call.js';

const idleMs = 300_000;
const sweepMs = 60_000;

type Entry = {
  readonly handler: McpHttpHandler;
  readonly serve: ReturnType<typeof toNodeHandler>;
  readonly release: () => void;
  /** Of the requests that run. */
  readonly running: Set<AbortController>;
  usedAt: number;
};

type Current = {
  readonly request: McpRequest;
  readonly body: object;
  /** Of a `subscriptions/listen`. */
  readonly updates: Updates | undefined;
  /** Aborts with `CallerLeft` when the credential ends. */
  readonly signal: AbortSignal;
};

/** What is watched from before the answer begins is heard once the SDK listens. */
type Updates = { hear: ((uri: string) => void) | undefined };

/**
 * Serves 2026-07-28. One SDK handler per credential, kept while it is in use, so that all it holds open ends with the
 * credential. What a request may see (toolset, filters) is its own: the handler asks for it by the request's async context.
 */
@Injectable()
export class ModernFront {
  readonly #entries = new Map<string, Entry>();
  readonly #current = new AsyncLocalStorage<Current>();

  constructor(
    private readonly servers: McpServers,
    private readonly open: OpenStreams,
    private readonly watch: ToolListWatch,
    private readonly resources: ResourceWatch,
    private readonly log: Log,
    shutdown: Shutdown,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'streams' | 'edge'>,
  ) {
    const timer = setInterval(() => this.#closeIdle(), sweepMs);
    shutdown.onStopTaking(() => clearInterval(timer));
    shutdown.onClose(() => [...this.#entries.keys()].forEach((id) => this.#close(id)));
  }

  /** A message that was found to be of this era, its errors included. Throws `rate_limited` for one listener or watched resource too many. */
  async post(request: McpRequest, body: object): Promise<void> {
    const { principal, response, raw } = request;
    const isListen = 'method' in body && body.method === 'subscriptions/listen';
    // Nothing would tell the end of what its client left before.
    if (isListen && response.destroyed) return;
    if (isListen)
      response.once(
        'close',
        this.open.openStream(principal, 'modern', () => void response.destroy()),
      );
    const updates = isListen ? this.#watchResources(request, body) : undefined;
    const refusal = this.#mirrorRefusal(request, body);
    if (refusal) return sendJson(response, refusal.httpStatus, rpcErrorText(refusal));
    const entry = this.#entryOf(principal);
    const left = new AbortController();
    entry.running.add(left);
    response.once('close', () => {
      entry.running.delete(left);
      entry.usedAt = Date.now();
    });
    await this.#current.run({ request, body, updates, signal: left.signal }, () =>
      entry.serve(raw, response, body),
    );
  }

  #mirrorRefusal({ principal, filter, headers }: McpRequest, body: object): RpcRefusal | undefined {
    if (!isJSONRPCRequest(body) || body.method !== 'tools/call') return undefined;
    const { name, arguments: args } = body.params ?? {};
    if (typeof name !== 'string') return undefined;
    const schema = this.servers.inputSchemaOf({ caller: principal.caller, filter }, name);
    const refusal = mirrorMismatch(schema, args, (header) => headerOf(headers, header));
    return refusal && { ...refusal, id: body.id };
  }

  #entryOf(principal: Principal): Entry {
    const known = this.#entries.get(principal.credentialId);
    if (known) return known;
    const handler = createMcpHandler(() => this.#server(), {
      legacy: 'reject',
      bus: this.#bus(),
      maxSubscriptions: this.config.streams.maxPerPrincipal,
      maxRequestBodySize: this.config.edge.bodyLimitBytes,
      keepAliveMs: this.config.streams.keepAliveMs,
      onerror: (err) => this.log.debug({ err }, 'an MCP request was refused'),
    });
    const serve = toNodeHandler(handler, {
      onerror: (err) => this.log.error({ err }, 'an MCP request failed'),
    });
    const release = this.open.openRequest(principal, (how) => this.#close(principal.credentialId, how));
    const entry = { handler, serve, release, running: new Set<AbortController>(), usedAt: Date.now() };
    this.#entries.set(principal.credentialId, entry);
    return entry;
  }

  #server() {
    const { request, body, signal } = this.#served();
    const { principal, filter, headers, idempotencyKey } = request;
    const method = isJSONRPCRequest(body) ? body.method : undefined;
    return this.servers.create(method, {
      era: 'modern',
      owner: ownerOf(principal),
      caller: principal.caller,
      filter,
      userToken: principal.userToken,
      idempotencyKey,
      traceparent: headerOf(headers, 'traceparent'),
      signal,
    });
  }

  /** Events come from the snapshot and the bus, which every replica has; nobody publishes here. */
  #bus(): ServerEventBus {
    return {
      publish: () => undefined,
      subscribe: (listener) => {
        const { request, updates } = this.#served();
        const { principal, filter } = request;
        const stop = this.watch.subscribe(principal, (what) => listener({ kind: `${what}_list_changed` }), {
          filter,
          kinds: ['tools', 'prompts', 'resources'],
        });
        if (updates) updates.hear = (uri) => listener({ kind: 'resource_updated', uri });
        return () => {
          stop();
          if (updates) updates.hear = undefined;
        };
      },
    };
  }

  #watchResources({ principal: { caller }, filter, response }: McpRequest, body: object): Updates {
    const updates: Updates = { hear: undefined };
    const updated = (uri: string) => updates.hear?.(uri);
    response.once('close', this.resources.watchAll({ caller, filter, updated }, subscriptionsOf(body)));
    return updates;
  }

  #served(): Current {
    const current = this.#current.getStore();
    if (!current) throw new Error('No request is being served.');
    return current;
  }

  #closeIdle(): void {
    for (const [id, { running, usedAt }] of this.#entries) {
      if (running.size === 0 && Date.now() - usedAt > idleMs) this.#close(id);
    }
  }

  /** Told first how their caller left: the end of the exchange alone would say that it may come back. */
  #close(id: string, how: CallerLeft['how'] = 'disconnected'): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    this.#entries.delete(id);
    entry.release();
    for (const left of entry.running) left.abort(new CallerLeft(how));
    entry.handler.close().catch((err: unknown) => this.log.warn({ err }, 'an MCP handler did not close'));
  }
}

/** The outward URIs of whose updates a `subscriptions/listen` wants to hear. */
function subscriptionsOf(body: object): string[] {
  const params = 'params' in body && isObject(body.params) ? body.params : {};
  const wanted = isObject(params['notifications']) ? params['notifications']['resourceSubscriptions'] : [];
  const uris = Array.isArray(wanted) ? wanted.filter((uri) => typeof uri === 'string') : [];
  return [...new Set(uris)];
}
