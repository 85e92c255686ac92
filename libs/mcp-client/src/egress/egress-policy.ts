import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent, type Dispatcher, type RequestInit, type Response } from 'undici';
import { assertAddressAllowed, assertUrlAllowed, parseUrl, type EgressRules } from './assert-url-allowed.js';
import { checkedConnector, systemResolver, type Resolver } from './checked-connector.js';
import { fetchWithinOrigin } from './fetch-within-origin.js';
import { plainFetch } from './plain-fetch.js';

/** What a request through the policy is held to. Durations of 0 wait for ever: the caller then has a deadline. */
export type FetchLimits = {
  /** Bytes of a body after decompression; of one event where the body is a stream of events. */
  maxBodyBytes: number;
  headersTimeoutMs: number;
  /** The longest pause within a body. */
  bodyIdleTimeoutMs: number;
  /** Called when the first byte of the request is about to be written to a connected socket. */
  onSent?: () => void;
  /** Called when a body goes beyond its limit, for those who read it through something that swallows errors. */
  onTooLarge?: (error: Error) => void;
};

const DEFAULT_LIMITS: FetchLimits = {
  maxBodyBytes: 64 * 1024 * 1024,
  headersTimeoutMs: 30_000,
  bodyIdleTimeoutMs: 30_000,
};

export type EgressOptions = {
  /** Development only: admits loopback and private addresses, and plain http to them. */
  allowPrivate: boolean;
  connectTimeoutMs?: number;
  /** For tests: the resolver of host names. */
  resolve?: Resolver;
};

/** The one way out to addresses that others chose: upstreams, metadata documents, token endpoints. */
export class EgressPolicy {
  private readonly agent: Dispatcher;
  private readonly limits = new AsyncLocalStorage<FetchLimits>();
  private readonly rules: EgressRules;
  private readonly resolve: Resolver;

  constructor(options: EgressOptions) {
    this.rules = { allowPrivate: options.allowPrivate };
    this.resolve = options.resolve ?? systemResolver;
    const connect = checkedConnector(this.rules, {
      timeoutMs: options.connectTimeoutMs ?? 10_000,
      resolve: this.resolve,
    });
    this.agent = new Agent({ connect, allowH2: false }).compose(
      (dispatch) => (request, handler) => this.dispatch(dispatch, request, handler),
    );
  }

  /** Judges a URL and the addresses that its name has now. Throws `egress_denied`; a name without address passes. */
  async check(text: string): Promise<void> {
    const url = parseUrl(text);
    assertUrlAllowed(url, this.rules);
    for (const address of await this.addressesOf(url))
      assertAddressAllowed(address, url.protocol, this.rules);
  }

  /** `fetch` through the policy: address checked at the connection, redirects within the origin alone, body limited. */
  readonly fetch: typeof fetch = ((url: string | URL, init?: RequestInit) =>
    this.fetchLimited(url, init, {})) as unknown as typeof fetch;

  /** `fetch` with limits of its own. */
  fetchLimited(
    url: string | URL,
    init: RequestInit | undefined,
    limits: Partial<FetchLimits>,
  ): Promise<Response> {
    const held = { ...DEFAULT_LIMITS, ...limits };
    return fetchWithinOrigin(new URL(url), init ?? {}, (target, request) =>
      this.sendOnce(target, request, held),
    );
  }

  /** Ends idle connections at once and waits for none. */
  async close(): Promise<void> {
    await this.agent.destroy();
  }

  private async sendOnce(url: URL, init: RequestInit, limits: FetchLimits): Promise<Response> {
    assertUrlAllowed(url, this.rules);
    return this.limits.run(limits, () => plainFetch(this.agent, url, init, limits));
  }

  private dispatch(
    dispatch: Dispatcher['dispatch'],
    request: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    const limits = this.limits.getStore() ?? DEFAULT_LIMITS;
    const timed = {
      ...request,
      headersTimeout: limits.headersTimeoutMs,
      bodyTimeout: limits.bodyIdleTimeoutMs,
    };
    return dispatch(timed, limits.onSent ? notifying(handler, limits.onSent) : handler);
  }

  private addressesOf(url: URL): Promise<string[]> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return new Promise((done) =>
      this.resolve(host, (error, addresses) => done(error ? [] : addresses.map(({ address }) => address))),
    );
  }
}

/** undici starts a request only once its socket is connected, so this tells a connect failure from a lost request. */
function notifying(handler: Dispatcher.DispatchHandler, onSent: () => void): Dispatcher.DispatchHandler {
  const observed = Object.create(handler) as Dispatcher.DispatchHandler;
  observed.onRequestStart = (controller, context) => {
    onSent();
    handler.onRequestStart?.(controller, context);
  };
  return observed;
}

/** An egress policy with connections of its own. */
export function createEgressPolicy(options: EgressOptions): EgressPolicy {
  return new EgressPolicy(options);
}
