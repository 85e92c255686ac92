import {
  Client,
  SdkError,
  SdkErrorCode,
  type ClientCapabilities,
  type Implementation,
  type JsonSchemaValidator,
  type PriorDiscovery,
} from '@modelcontextprotocol/client';
import { classifyFailure } from '../failures/classify-failure.js';
import { failure } from '../failures/failure.js';
import { UpstreamError } from '../failures/upstream-error.js';
import type { AskCapabilities } from './questions.js';
import { currentExchange, Exchange } from './exchange.js';
import type { OpenedTransport } from './open-transport.js';

export type ConnectLimits = {
  timeoutMs: number;
  signal?: AbortSignal;
  clientInfo: Implementation;
  /** What is known of the server's era; without it the server is asked. */
  era?: PriorDiscovery;
  /** Declared to a server of before 2026-07-28 for the whole session. */
  capabilities?: AskCapabilities;
};

/** The gateway's own client validates results; ours passes them on. */
const NO_VALIDATION = {
  getValidator:
    <T>(): JsonSchemaValidator<T> =>
    (input) => ({ valid: true, data: input as T, errorMessage: undefined }),
};

/**
 * Connects a client of the SDK: negotiates the era, then shakes hands where the era has a handshake. Declares what it is
 * told to, by default nothing, so that servers ask nothing of us. Whatever fails here is `not_sent`: no tool was called yet.
 */
export async function connectClient(opened: OpenedTransport, limits: ConnectLimits): Promise<Client> {
  const exchange = new Exchange();
  const timeout = AbortSignal.timeout(limits.timeoutMs);
  const end = AbortSignal.any([timeout, exchange.lostSignal, ...(limits.signal ? [limits.signal] : [])]);
  const client = newClient(opened, limits);
  try {
    const connecting = currentExchange.run(exchange, () =>
      client.connect(opened.transport, { timeout: limits.timeoutMs, prior: limits.era }),
    );
    await raceAbort(connecting, end);
    return client;
  } catch (thrown) {
    const facts = { ...exchange.facts, cancelled: limits.signal?.aborted };
    const cause = exchange.cause ?? opened.transport.closeCause ?? thrown;
    // Not awaited: a process that does not want to end has a grace period, and whoever waits here has none.
    void client.close().catch(() => undefined);
    void opened.transport.close().catch(() => undefined);
    const found = timeout.aborted
      ? failure('not_sent', 'upstream_unreachable', { reason: 'connect_timeout' })
      : classifyFailure(cause, facts);
    const failureClass = found.failureClass === 'sent_no_answer' ? 'not_sent' : found.failureClass;
    throw new UpstreamError({ ...found, failureClass }, { cause, diagnostic: opened.diagnostic() });
  }
}

function newClient(
  opened: OpenedTransport,
  { clientInfo, timeoutMs, capabilities = {} }: ConnectLimits,
): Client {
  // A legacy stdio server may not answer the probe at all: then silence is the verdict, and half the time is left.
  const probe = { timeoutMs: opened.isStdio ? timeoutMs / 2 : timeoutMs };
  const client = new Client(clientInfo, {
    capabilities: capabilities as ClientCapabilities,
    versionNegotiation: { mode: 'auto', probe },
    inputRequired: { autoFulfill: false },
    jsonSchemaValidator: NO_VALIDATION,
  });
  // Errors outside any request concern streams that are opened again by themselves.
  client.onerror = () => undefined;
  return client;
}

async function raceAbort(work: Promise<void>, signal: AbortSignal): Promise<void> {
  work.catch(() => undefined);
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    const gaveUp = new SdkError(SdkErrorCode.ConnectionClosed, 'connecting was given up');
    // The SDK closes the transport before it says why: its reason, on the way by then, is the better one.
    onAbort = () => setImmediate(() => reject(gaveUp));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
