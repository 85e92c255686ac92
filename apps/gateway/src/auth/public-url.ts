import type { FastifyRequest } from 'fastify';

/** The origin by which the client reached us. The Host was checked before, so it can be repeated. */
export function publicOrigin(
  request: Pick<FastifyRequest, 'headers'>,
  configured: string | undefined,
): string {
  return configured === undefined
    ? `http://${request.headers.host ?? 'localhost'}`
    : new URL(configured).origin;
}

/** Where the RFC 9728 document of `/mcp` stands. */
export function resourceMetadataUrl(origin: string): string {
  return `${origin}/.well-known/oauth-protected-resource`;
}

/** The challenge of every 401 (RFC 9728, section 5.1), exactly as clients of 002 know it. */
export function bearerChallenge(origin: string): string {
  return `Bearer resource_metadata="${resourceMetadataUrl(origin)}"`;
}
