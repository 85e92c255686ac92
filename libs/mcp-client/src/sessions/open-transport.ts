import { SSEClientTransport, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { PlatformError } from '@switchyard/contracts';
import type { EgressPolicy } from '../egress/egress-policy.js';
import { StdioProcess } from '../stdio/stdio-process.js';
import { ObservedStdioTransport, ObservedTransport } from './observed-transport.js';
import { sessionFetch } from './session-fetch.js';
import type { UpstreamTarget } from './upstream-target.js';

export type TransportHooks = {
  egress: EgressPolicy;
  headers: () => Record<string, string>;
  maxBodyBytes: number;
  onSessionLost: () => void;
  onStreamReopened: () => void;
  onStanding: () => void;
};

/** A transport, not yet started, with what is left to do when its session ends. */
export type OpenedTransport = {
  transport: ObservedTransport;
  isStdio: boolean;
  /** Tells the server that a legacy session ends. */
  terminate: () => Promise<void>;
  /** For logs and for the integration's admin. */
  diagnostic: () => string | undefined;
  /** Of a stdio server's process while it runs. */
  pid: () => number | null;
};

const STDIO_MAX_LINE_BYTES = 16 * 1024 * 1024;
const STDIO_GRACE_MS = 1500;

/** The standing stream of a legacy session is opened again for as long as the session lives. */
const RECONNECTION = {
  initialReconnectionDelay: 500,
  maxReconnectionDelay: 15_000,
  reconnectionDelayGrowFactor: 2,
  maxRetries: 1e9,
};

/** Builds the transport of a target. Throws `stdio_not_allowed` or `egress_denied`. */
export function openTransport(target: UpstreamTarget, hooks: TransportHooks): OpenedTransport {
  const { transport } = target;
  if (transport.type === 'stdio') return openStdio(target);
  const url = new URL(transport.url);
  if (transport.type === 'sse') return openSse(url, hooks);
  const fetch = sessionFetch({ ...hooks, isSse: false });
  const inner = new StreamableHTTPClientTransport(url, { fetch, reconnectionOptions: RECONNECTION });
  return {
    transport: new ObservedTransport(inner),
    isStdio: false,
    terminate: () => inner.terminateSession(),
    diagnostic: () => undefined,
    pid: () => null,
  };
}

/** All answers of an SSE session come over its one stream: when that ends, none will come any more. */
function openSse(url: URL, hooks: TransportHooks): OpenedTransport {
  const onSessionLost = () => {
    hooks.onSessionLost();
    transport.exchanges.loseAll();
  };
  const fetch = sessionFetch({ ...hooks, onSessionLost, isSse: true });
  const transport = new ObservedTransport(new SSEClientTransport(url, { fetch }));
  return {
    transport,
    isStdio: false,
    terminate: async () => undefined,
    diagnostic: () => undefined,
    pid: () => null,
  };
}

function openStdio(target: UpstreamTarget): OpenedTransport {
  if (!target.stdioCommand) throw new PlatformError('stdio_not_allowed');
  const process = new StdioProcess({
    command: target.stdioCommand,
    env: target.env ?? {},
    maxLineBytes: STDIO_MAX_LINE_BYTES,
    graceMs: STDIO_GRACE_MS,
  });
  return {
    transport: new ObservedStdioTransport(process),
    isStdio: true,
    terminate: async () => undefined,
    diagnostic: () => process.stderr || undefined,
    pid: () => process.pid,
  };
}
