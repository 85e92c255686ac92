import type { FastifyReply, FastifyRequest } from 'fastify';

const exposed =
  'Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate, Location, Retry-After, Preference-Applied';
const methods = 'GET, POST, PUT, PATCH, DELETE';
const preflightSeconds = 600;

/** Lets the page of an origin that was found allowed read the answer. Credentials travel in headers, never in cookies. */
export function allowOrigin(reply: FastifyReply, origin: string): void {
  const headers = {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': exposed,
    vary: 'Origin',
  };
  reply.headers(headers);
  // Answers of `/mcp` are written to the socket past Fastify.
  for (const [name, value] of Object.entries(headers)) reply.raw.setHeader(name, value);
}

export function isPreflight(request: FastifyRequest): boolean {
  return request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
}

/** Any header may be sent: none grants anything without a credential. */
export function answerPreflight(reply: FastifyReply, origin: string): void {
  allowOrigin(reply, origin);
  reply
    .header('access-control-allow-methods', methods)
    .header('access-control-allow-headers', reply.request.headers['access-control-request-headers'] ?? '*')
    .header('access-control-max-age', preflightSeconds)
    .code(204)
    .send();
}
