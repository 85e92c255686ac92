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

/** Where the RFC 9728 document of an MCP endpoint stands: that of `/mcp` where 002 has it, a toolset's by its path. */
export function resourceMetadataUrl(origin: string, resourcePath = '/mcp'): string {
  const base = `${origin}/.well-known/oauth-protected-resource`;
  return resourcePath === '/mcp' ? base : `${base}${resourcePath}`;
}

/** The challenge of every 401 (RFC 9728, section 5.1), exactly as clients of 002 know it. */
export function bearerChallenge(origin: string, resourcePath?: string): string {
  return `Bearer resource_metadata="${resourceMetadataUrl(origin, resourcePath)}"`;
}
