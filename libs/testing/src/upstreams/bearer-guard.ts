import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRemoteJWKSet, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';

export type GuardOptions = {
  /** The authorization server whose tokens are taken. */
  issuer: string;
  /** The audience that tokens must have; the URL by default. */
  resource: string;
  /** Scopes that every request needs. */
  requiredScopes: string[];
  scopesSupported: string[];
  /** Scopes that single tools need besides. */
  toolScopes: Record<string, string[]>;
  /** Whether metadata are published. */
  hasMetadata: boolean;
};

/** What a tool is told of its caller. */
export type Caller = { sub: string; aud: string | string[]; scope: string; client_id: string; act?: unknown };

const METADATA = '/.well-known/oauth-protected-resource';
const NOT_FOUND = { error: 'not_found' };

/** A resource server's door: checks bearer JWTs as an MCP server must, and says what is missing. */
export class BearerGuard {
  private readonly revoked = new Set<string>();
  private readonly seen = new Set<string>();
  private readonly keys = new Map<string, JWTVerifyGetKey>();

  constructor(
    readonly options: GuardOptions,
    private readonly origin: string,
  ) {}

  /** Refuses every token that was seen so far, whatever its expiry says. */
  revokeSeenTokens(): void {
    for (const digest of this.seen) this.revoked.add(digest);
  }

  /** Whether the request may go on; if not, it is answered. The caller is then in `req.auth`. */
  async admits(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<boolean> {
    const { pathname } = new URL(req.url ?? '/', this.origin);
    if (pathname.startsWith(METADATA)) return this.answerMetadata(pathname, res);
    const token = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
    if (!token) return refuse(res, 401, this.challenge({ scope: this.options.scopesSupported.join(' ') }));
    const claims = await this.verified(token);
    if (!claims) return refuse(res, 401, this.challenge({ error: 'invalid_token' }));
    const scopes = String(claims['scope'] ?? '').split(' ');
    const missing = this.needed(body).filter((scope) => !scopes.includes(scope));
    if (missing.length > 0)
      return refuse(res, 403, this.challenge({ error: 'insufficient_scope', scope: missing.join(' ') }));
    Object.assign(req, { auth: authInfo(token, claims, scopes) });
    return true;
  }

  private needed(body: unknown): string[] {
    const { method, params } = (body ?? {}) as { method?: string; params?: { name?: string } };
    const ofTool = method === 'tools/call' ? (this.options.toolScopes[params?.name ?? ''] ?? []) : [];
    return [...this.options.requiredScopes, ...ofTool];
  }

  private async verified(token: string): Promise<JWTPayload | undefined> {
    const digest = createHash('sha256').update(token).digest('hex');
    if (this.revoked.has(digest)) return undefined;
    this.seen.add(digest);
    const { issuer, resource } = this.options;
    try {
      return (await jwtVerify(token, await this.keysOf(issuer), { issuer, audience: resource })).payload;
    } catch {
      return undefined;
    }
  }

  private async keysOf(issuer: string): Promise<JWTVerifyGetKey> {
    const known = this.keys.get(issuer);
    if (known) return known;
    const response = await fetch(`${issuer}/.well-known/openid-configuration`);
    const { jwks_uri: uri } = (await response.json()) as { jwks_uri: string };
    const keys = createRemoteJWKSet(new URL(uri), { cooldownDuration: 0 });
    this.keys.set(issuer, keys);
    return keys;
  }

  private answerMetadata(pathname: string, res: ServerResponse): false {
    const { hasMetadata, resource, issuer, scopesSupported } = this.options;
    const isHere = hasMetadata && pathname === `${METADATA}/mcp`;
    const metadata = {
      resource,
      authorization_servers: [issuer],
      scopes_supported: scopesSupported,
      bearer_methods_supported: ['header'],
    };
    res
      .writeHead(isHere ? 200 : 404, { 'content-type': 'application/json' })
      .end(JSON.stringify(isHere ? metadata : NOT_FOUND));
    return false;
  }

  private challenge(params: Record<string, string>): string {
    const metadata = this.options.hasMetadata && { resource_metadata: `${this.origin}${METADATA}/mcp` };
    const all = Object.entries({ ...params, ...metadata }).filter(([, value]) => value !== '');
    return `Bearer ${all.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
  }
}

function authInfo(token: string, claims: JWTPayload, scopes: string[]): object {
  const caller: Caller = {
    sub: claims.sub ?? '',
    aud: claims.aud ?? '',
    scope: scopes.join(' '),
    client_id: String(claims['client_id'] ?? ''),
    ...(claims['act'] !== undefined && { act: claims['act'] }),
  };
  return { token, clientId: caller.client_id, scopes, expiresAt: claims.exp, extra: caller };
}

function refuse(res: ServerResponse, status: number, challenge: string): false {
  res
    .writeHead(status, { 'www-authenticate': challenge, 'content-type': 'application/json' })
    .end(JSON.stringify({ error: status === 401 ? 'unauthorized' : 'forbidden' }));
  return false;
}
