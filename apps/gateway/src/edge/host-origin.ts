import { validateHostHeader } from '@modelcontextprotocol/server';

/** RFC 9110, section 7.2: a name or an address, and a port. A URL parser would read more into it. */
const hostForm = /^(?:\[[\da-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i;
const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

export type HostOriginRules = {
  readonly listenHost: string;
  readonly publicUrl: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
};

/** Judges the Host and Origin headers of a request, against DNS rebinding and foreign web pages. */
export class HostOriginCheck {
  readonly #hosts: string[];
  readonly #origins: ReadonlySet<string>;
  readonly #isLocal: boolean;

  constructor(rules: HostOriginRules) {
    this.#isLocal = isLoopback(rules.listenHost);
    const publicUrl = rules.publicUrl === undefined ? undefined : new URL(rules.publicUrl);
    this.#hosts = [
      ...rules.allowedHosts,
      ...(publicUrl ? [publicUrl.hostname] : []),
      ...(this.#isLocal ? loopbackNames : []),
    ];
    this.#origins = new Set([...rules.allowedOrigins, ...(publicUrl ? [publicUrl.origin] : [])]);
  }

  /** Whether the Host header, whatever its port, names this gateway. */
  allowsHost(host: string | undefined): boolean {
    return host !== undefined && hostForm.test(host) && validateHostHeader(host, this.#hosts).ok;
  }

  /** Programs send no Origin; a page must be listed, or come from this machine while we listen on loopback alone. */
  allowsOrigin(origin: string | undefined): boolean {
    if (origin === undefined || this.#origins.has(origin)) return true;
    return this.#isLocal && isLoopbackOrigin(origin);
  }
}

/** Whether an address to listen on is reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return loopbackNames.includes(host) || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  return (protocol === 'http:' || protocol === 'https:') && loopbackNames.includes(hostname);
}
