const loopbackHosts = ['127.0.0.1', 'localhost', '[::1]'];
const resourcePath = /^\/mcp(?:\/([a-z0-9][a-z0-9-]{0,62}))?$/;

/** What a token is for: this gateway's MCP endpoint, or that of one toolset. */
export type Resource = { readonly uri: string; readonly path: string; readonly toolset: string | null };

/**
 * The resource that a URI names, if it is one of these origins' (RFC 8707). Compared as text: there is one way to write
 * it, so that no two tokens for one endpoint differ.
 */
export function resourceOf(uri: string, origins: readonly string[]): Resource | undefined {
  const origin = origins.find((one) => uri.startsWith(`${one}/`));
  const path = origin === undefined ? '' : uri.slice(origin.length);
  const found = resourcePath.exec(path);
  return found ? { uri, path, toolset: found[1] ?? null } : undefined;
}

/** The MCP endpoint that a request is for; undefined for every other path. */
export function resourcePathOf(requestUrl: string): string | undefined {
  const path = requestUrl.split('?', 1)[0] ?? '';
  return resourcePath.test(path) ? path : undefined;
}

/** On loopback the other names of the same machine too. */
export function loopbackAliases(origin: string): string[] {
  const { protocol, hostname, port } = new URL(origin);
  if (!loopbackHosts.includes(hostname)) return [origin];
  const others = loopbackHosts.filter((host) => host !== hostname);
  return [origin, ...others.map((host) => `${protocol}//${host}${port && `:${port}`}`)];
}
