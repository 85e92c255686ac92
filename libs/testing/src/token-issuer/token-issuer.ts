import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CryptoKey, JWK, JWTPayload } from 'jose';

export const testAudience = 'https://switchyard.example';
const discoveryPath = '/.well-known/openid-configuration';

type Trusted = {
  id: string;
  orgId: string;
  issuer: string;
  audience: string;
  jwksUri: string | null;
  rolesClaim: string;
  enabled: boolean;
};
type Signed = {
  claims?: JWTPayload;
  header?: Record<string, unknown>;
  kid?: string;
  lifetimeSeconds?: number;
};

/** An issuer of tokens on loopback, with real keys: discovery, key set, tokens; and whatever it should do wrong. */
export class TokenIssuer {
  /** Paths in the order in which they were asked for. */
  readonly asked: string[] = [];
  readonly published: JWK[] = [];
  /** Set to answer otherwise; by path. */
  readonly answers = new Map<string, (response: ServerResponse) => void>();
  private readonly privateKeys = new Map<string, { key: CryptoKey; alg: string }>();
  private constructor(private readonly server: Server) {}

  static async start(): Promise<TokenIssuer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new TokenIssuer(server);
    server.on('request', ({ url = '' }, response) => issuer.answer(url, response));
    await issuer.addKey('first');
    return issuer;
  }

  get issuer(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get keyReads(): number {
    return this.asked.filter((path) => path === '/keys').length;
  }

  /** What an organization trusts that takes its tokens. */
  trusted(fields: Partial<Trusted> = {}): Trusted {
    const { issuer } = this;
    const rest = { audience: testAudience, jwksUri: `${issuer}/keys`, rolesClaim: 'roles', enabled: true };
    return { id: 'provider', orgId: 'organization', issuer, ...rest, ...fields };
  }

  async addKey(kid: string, alg = 'RS256'): Promise<JWK> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
    this.privateKeys.set(kid, { key: privateKey, alg });
    this.published.push(jwk);
    return jwk;
  }

  withdraw(kid: string): void {
    const index = this.published.findIndex((jwk) => jwk.kid === kid);
    this.published.splice(index, 1);
  }

  /** A token for Ada that is as it should be, but for what is given. */
  async sign({
    claims = {},
    header = {},
    kid = 'first',
    lifetimeSeconds = 300,
  }: Signed = {}): Promise<string> {
    const { key, alg } = this.privateKeys.get(kid)!;
    const now = Math.floor(Date.now() / 1_000);
    const usual = { iss: this.issuer, aud: testAudience, sub: 'ada', iat: now, exp: now + lifetimeSeconds };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header })
      .sign(key);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private answer(path: string, response: ServerResponse): void {
    this.asked.push(path);
    const { issuer } = this;
    const usual: Record<string, unknown> = {
      '/keys': { keys: this.published },
      [discoveryPath]: { issuer, jwks_uri: `${issuer}/keys` },
    };
    const special = this.answers.get(path);
    if (special) special(response);
    else if (path in usual) response.end(JSON.stringify(usual[path]));
    else response.writeHead(404).end();
  }
}

/** An answer of so many bytes that goes on until the reader hangs up. `sent` tells how far it came. */
export function endlessAnswer(bytes: number): {
  send: (response: ServerResponse) => void;
  sent: () => number;
} {
  let sent = 0;
  const chunk = Buffer.alloc(64 * 1024, ' ');
  const send = (response: ServerResponse) => {
    const more = () => {
      while (sent < bytes && !response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
      response.end('{}');
    };
    response.write('{"keys":[');
    more();
  };
  return { send, sent: () => sent };
}
