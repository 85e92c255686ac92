import type { IncomingHttpHeaders } from 'node:http';

/** RFC 9110, section 7.6.1: they speak of one connection. */
const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];
/** What a client claims about the way it came; only we know it here. */
const claimed = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-real-ip',
];

type Arrived = {
  readonly ip: string;
  readonly protocol: string;
  readonly headers: IncomingHttpHeaders;
};

/** The headers that go on to a service behind the gateway. */
export function forwardedHeaders<H extends Record<string, unknown>>(request: Arrived, headers: H): H {
  const named = (request.headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  const dropped = new Set([...hopByHop, ...claimed, ...named]);
  const kept = Object.entries(headers).filter(([name]) => !dropped.has(name.toLowerCase()));
  return {
    ...Object.fromEntries(kept),
    'x-forwarded-for': request.ip,
    // As it was checked: a proxy in front may be trusted for addresses, and what it says of hosts was not.
    'x-forwarded-host': request.headers.host ?? '',
    'x-forwarded-proto': request.protocol,
  } as unknown as H;
}
