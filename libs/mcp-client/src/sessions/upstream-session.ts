import {
  ProtocolError,
  type Client,
  type Implementation,
  type PriorDiscovery,
} from '@modelcontextprotocol/client';
import type { ToolResult, UpstreamDescription, WireTool } from '@switchyard/contracts';
import type { EgressPolicy } from '../egress/egress-policy.js';
import { failure } from '../failures/failure.js';
import { toUpstreamError } from '../failures/to-upstream-error.js';
import { UpstreamError } from '../failures/upstream-error.js';
import { callExchange, callUpstream, type UpstreamCallOptions } from './call-upstream.js';
import { connectClient } from './connect-client.js';
import { describeUpstream, eraOf } from './describe-upstream.js';
import { currentExchange, Exchange, type ExchangeOptions } from './exchange.js';
import { listPage, pageStandIn } from './list-page.js';
import { featureLists, featureStandIn, isUsableFeature, requestPage } from './list-features.js';
import type { FeatureKind, WireFeature } from './list-features.js';
import { DEFAULT_LIST_LIMITS, listAll, listTools, type ListLimits } from './list-tools.js';
import { mayBeLegacy } from './may-be-legacy.js';
import { openTransport, type OpenedTransport } from './open-transport.js';
import { ping } from './ping.js';
import type { AskCapabilities } from './questions.js';
import { ServerLog } from './server-log.js';
import { SessionState } from './session-state.js';
import { UpstreamNews } from './upstream-news.js';
import type { UpstreamTarget } from './upstream-target.js';

export type ConnectOptions = {
  egress: EgressPolicy;
  timeoutMs: number;
  signal?: AbortSignal;
  clientInfo?: Implementation;
  /** A verdict on the server's era from an earlier session; saves asking. */
  era?: PriorDiscovery;
  /** The largest answer, in bytes. */
  maxBodyBytes?: number;
  /** Declared to a server of before 2026-07-28 for the whole session: what it may ask in the middle of a call. */
  capabilities?: AskCapabilities;
};

const CLIENT_INFO: Implementation = { name: 'switchyard', version: '0.1.0' };
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const HEADER_MISMATCH = -32020;
const TERMINATE_TIMEOUT_MS = 1000;
const STANDING_TIMEOUT_MS = 2000;

/**
 * One conversation with an upstream MCP server, of either era, over HTTP, SSE or stdio. Calls may run side by side.
 * Every method throws `UpstreamError`, whose failure says whether the request can have had an effect.
 */
export class UpstreamSession {
  readonly upstream: UpstreamDescription;
  /** The verdict on the server's era, to be handed to the next `connect`. */
  readonly era: PriorDiscovery;
  private readonly news: UpstreamNews;
  private readonly log: ServerLog;

  private constructor(
    private readonly client: Client,
    private readonly opened: OpenedTransport,
    private readonly state: SessionState,
  ) {
    this.upstream = describeUpstream(client);
    this.era = eraOf(client);
    this.news = new UpstreamNews(client);
    this.log = new ServerLog(client);
    if (client.getProtocolEra() !== 'modern') opened.transport.takeQuestions();
    state.onReopened(() => this.news.missedSome());
    state.onLost(() => this.news.close());
    client.onclose = () => state.lose();
  }

  /** Opens a session. A failure is never `sent_no_answer`: no tool was called yet. */
  static async connect(target: UpstreamTarget, options: ConnectOptions): Promise<UpstreamSession> {
    const startedAt = Date.now();
    try {
      return await UpstreamSession.open(target, options);
    } catch (error) {
      if (options.era || !(error instanceof UpstreamError)) throw error;
      if (!mayBeLegacy(target.transport.type === 'stdio', error.failure)) throw error;
      const timeoutMs = options.timeoutMs - (Date.now() - startedAt);
      return UpstreamSession.open(target, { ...options, timeoutMs, era: { kind: 'legacy' } });
    }
  }

  private static async open(target: UpstreamTarget, options: ConnectOptions): Promise<UpstreamSession> {
    const state = new SessionState(target.headers);
    const opened = openSafely(target, options, state);
    const client = await connectClient(opened, { clientInfo: CLIENT_INFO, ...options });
    // Many servers ask on the standing stream, and a question that comes before it is open is never heard.
    if (options.capabilities && target.transport.type === 'http' && client.getProtocolEra() !== 'modern')
      await state.untilStanding(STANDING_TIMEOUT_MS);
    return new UpstreamSession(client, opened, state);
  }

  /** Whether the server forgot the session, or is gone. */
  get isLost(): boolean {
    return this.state.isLost;
  }

  /** Of a stdio server's process; null for all others, and once the session has ended. */
  get pid(): number | null {
    return this.isLost ? null : this.opened.pid();
  }

  /**
   * When the last call ended here that the server has not answered to this day; null where there is none. Until it does,
   * what the server asks or logs on a stream that calls share is nobody's.
   */
  get lastStrayAt(): number | null {
    return this.opened.transport.exchanges.lastStrayAt;
  }

  /** Replaces the credentials of all requests to come. */
  useHeaders(headers: Record<string, string>): void {
    this.state.headers = headers;
  }

  /** Every tool of every page, as wire objects. A list that never ends: `upstream_protocol_error`. */
  async listTools(
    options: { timeoutMs: number; signal?: AbortSignal } & Partial<ListLimits>,
  ): Promise<WireTool[]> {
    if (!this.client.getServerCapabilities()?.tools) return [];
    const deadline = Date.now() + options.timeoutMs;
    const fetchPage = (cursor: string | undefined): Promise<unknown> =>
      this.exchange({ standIn: pageStandIn }, options.signal, (exchange, signal) =>
        listPage(this.client, exchange, cursor, { timeout: Math.max(deadline - Date.now(), 1), signal }),
      );
    return listTools(fetchPage, { ...DEFAULT_LIST_LIMITS, ...options });
  }

  /** Every prompt, resource or template of every page, as wire objects; none where the server has no such capability. */
  async listFeatures<K extends FeatureKind>(
    kind: K,
    options: { timeoutMs: number; signal?: AbortSignal } & Partial<ListLimits>,
  ): Promise<WireFeature<K>[]> {
    const { capability, key } = featureLists[kind];
    if (!this.client.getServerCapabilities()?.[capability]) return [];
    const deadline = Date.now() + options.timeoutMs;
    const standIn = () => featureStandIn(kind);
    const fetchPage = (cursor: string | undefined): Promise<unknown> =>
      this.exchange({ standIn }, options.signal, async (exchange, signal) => {
        await requestPage(this.client, kind, cursor, { timeout: Math.max(deadline - Date.now(), 1), signal });
        return exchange.result;
      });
    const isUsable = (item: unknown): item is WireFeature<K> => isUsableFeature(kind, item);
    return listAll(fetchPage, { ...DEFAULT_LIST_LIMITS, ...options }, { key, isUsable });
  }

  /** Calls a tool, gets a prompt, reads a resource or completes an argument. An `isError` result is a result. */
  async call(call: UpstreamCallOptions): Promise<ToolResult> {
    if (call.onLog) await this.exchange({}, call.signal, (_, signal) => this.log.want(call, signal));
    return call.method === undefined || call.method === 'tools/call'
      ? this.callTool(call)
      : this.callOnce(call);
  }

  private async callTool(call: UpstreamCallOptions): Promise<ToolResult> {
    try {
      return await this.callOnce(call);
    } catch (error) {
      // The tool mirrors arguments into headers, which takes its definition. Nothing ran: the server checks them first.
      const tool =
        call.tool || !isHeaderMismatch(error) ? undefined : await this.toolNamed(call.name, call.timeoutMs);
      if (!tool) throw error;
      return this.callOnce({ ...call, tool });
    }
  }

  private async toolNamed(name: string, timeoutMs: number): Promise<WireTool | undefined> {
    return (await this.listTools({ timeoutMs })).find((tool) => tool.name === name);
  }

  private callOnce(call: UpstreamCallOptions): Promise<ToolResult> {
    return this.exchange(callExchange(call), call.signal, (exchange, signal) =>
      callUpstream(this.client, exchange, call, signal),
    );
  }

  /** Whether the server answers. Any answer of its protocol layer will do, a refusal too. */
  async ping(options: { timeoutMs: number; signal?: AbortSignal }): Promise<void> {
    await this.exchange({}, options.signal, (_, signal) =>
      ping(this.client, { timeout: options.timeoutMs, signal }),
    );
  }

  /**
   * Calls back when a list, of tools, prompts or resources, may have changed; also when a stream was broken and changes may
   * have been missed.
   */
  onListsChanged(listener: () => void): void {
    this.news.onListsChanged(listener);
  }

  /** Calls back when a resource changed to which this session is subscribed, or may have. */
  onResourceUpdated(listener: (uri: string) => void): void {
    this.news.onResourceUpdated(listener);
  }

  /** Subscribes to these resources and to no others, where the server can. What it refuses stays unsubscribed. */
  async subscribe(uris: readonly string[], options: { timeoutMs: number }): Promise<void> {
    await this.news.subscribe(uris, (work) =>
      this.exchange({}, AbortSignal.timeout(options.timeoutMs), (_, signal) =>
        work({ timeout: options.timeoutMs, signal }),
      ),
    );
  }

  /** Calls back once when the session has ended, for whatever reason. */
  onClose(listener: () => void): void {
    this.state.onLost(listener);
  }

  /** Ends the session, and the process of a stdio server with all its descendants. */
  async close(): Promise<void> {
    this.news.close();
    if (!this.state.isLost) await atMost(this.opened.terminate(), TERMINATE_TIMEOUT_MS);
    this.state.lose();
    await this.client.close().catch(() => undefined);
    await this.opened.transport.close().catch(() => undefined);
  }

  private async exchange<T>(
    options: ExchangeOptions,
    signal: AbortSignal | undefined,
    work: (exchange: Exchange, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const exchange = new Exchange(options);
    const ended = AbortSignal.any([exchange.lostSignal, ...(signal ? [signal] : [])]);
    try {
      return await currentExchange.run(exchange, () => work(exchange, ended));
    } catch (thrown) {
      const context = { signal, diagnostic: this.opened.diagnostic() };
      const error = toUpstreamError(exchange.cause ?? asSent(exchange, thrown), exchange.facts, context);
      throw wantingOfClient(exchange, error) ?? error;
    } finally {
      this.opened.transport.end(exchange);
    }
  }
}

function openSafely(target: UpstreamTarget, options: ConnectOptions, state: SessionState): OpenedTransport {
  try {
    return openTransport(target, {
      egress: options.egress,
      headers: () => state.headers,
      maxBodyBytes: options.maxBodyBytes ?? MAX_BODY_BYTES,
      onSessionLost: () => state.lose(),
      onStreamReopened: () => state.reopened(),
      onStanding: () => state.standingSettled(),
    });
  } catch (thrown) {
    throw toUpstreamError(thrown, { requestSent: false }, {});
  }
}

function asSent({ error }: Exchange, thrown: unknown): unknown {
  if (!error || !(thrown instanceof ProtocolError)) return thrown;
  return Object.assign(new ProtocolError(error.code, error.message, error.data), { cause: thrown });
}

/** A call that failed because its client cannot be asked: nobody at the server has anything to mend. */
function wantingOfClient({ undeclared }: Exchange, cause: UpstreamError): UpstreamError | undefined {
  if (!undeclared || cause.failure.error.code !== 'upstream_protocol_error') return undefined;
  const details = { required_capabilities: undeclared };
  return new UpstreamError(failure('answered', 'client_capability_missing', details), { cause });
}

function isHeaderMismatch(error: unknown): boolean {
  return error instanceof UpstreamError && error.failure.error.details?.['upstream_code'] === HEADER_MISMATCH;
}

async function atMost(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work.catch(() => undefined),
    new Promise<void>((resolve) => (timer = setTimeout(resolve, ms))),
  ]);
  clearTimeout(timer);
}
