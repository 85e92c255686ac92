import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LoggedRequest } from './request-log.js';
import type { TestUser } from './users.js';

/** A client that is registered before the first request, by the names of RFC 7591. */
export type TestClient = {
  client_id: string;
  client_secret?: string;
  redirect_uris?: string[];
  grant_types?: string[];
  token_endpoint_auth_method?: string;
  scope?: string;
};

export type AuthorizationServerOptions = {
  /** 0, the default, takes a free one. */
  port?: number;
  /** Whoever else signs in has no roles. Default: alice, an admin, and bob. */
  users?: Record<string, TestUser>;
  clients?: TestClient[];
  /** Scopes of the resources. Default: `notes:read`, `notes:write`, `admin`. */
  scopes?: string[];
  /** Resources that tokens are issued for. Default: any. */
  resources?: string[];
  /** The audience of a token that is asked for without `resource`. Without it such a token is opaque. */
  defaultResource?: string;
  accessTokenTtlSeconds?: number;
  refreshTokenTtlSeconds?: number;
  /** How long a refresh token that was used may be used again. Default: not at all, and its family dies of it. */
  reuseLeewayMs?: number;
  /** Issuers whose tokens are taken in exchange, besides our own. */
  trustedIssuers?: string[];
};

/** A real authorization server and OpenID provider for tests, on a loopback port. */
export type TestAuthorizationServer = {
  issuer: string;
  port: number;
  /** All requests, in order. */
  log: LoggedRequest[];
  /** Tokens, codes, verifiers and client secrets that were exchanged, with what each is. */
  secrets: ReadonlyMap<string, string>;
  /** Refreshes that came to the token endpoint; those that succeeded with `true`. */
  refreshes: (onlySuccessful?: boolean) => number;
  /** While it is set, everything is answered with 503. */
  down: boolean;
  /** Of tokens issued from now on. */
  accessTokenTtlSeconds: number;
  /** Issuers whose tokens are taken in exchange. */
  trustedIssuers: string[];
  /** Ends every grant of the user, or all: their refresh tokens are `invalid_grant` from now on. */
  invalidGrant: (user?: string) => void;
  /** Forgets registered clients, or one. */
  forgetClients: (clientId?: string) => void;
  /** Lets refreshes wait before they are judged. Whoever hangs up meanwhile has not used the token. */
  delayRefresh: (ms: number) => void;
  /** How many refreshes are being delayed now. */
  refreshesWaiting: () => number;
  addClient: (client: TestClient) => void;
  /** Signs with a new key; the old one stays in the key set with `keepOld`. */
  rotateKeys: (options?: { keepOld?: boolean }) => Promise<void>;
  /** An access token as the server itself would sign it, with any claims on top. */
  issueToken: (user: string, audience: string, more?: IssueOptions) => Promise<string>;
  /** How many tokens, grants and sessions there are of a model (`RefreshToken`, `Client` …). */
  count: (model: string) => number;
  close: () => Promise<void>;
};

export type IssueOptions = {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  ttlSeconds?: number;
};

/** Starts an authorization server. It can be closed and started again on its port, having forgotten everything. */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<TestAuthorizationServer> {
  // Loaded by those who need it alone: every other test would wait for it too.
  const { AuthorizationServer } = await import('./authorization-server.js');
  const http = createServer();
  await new Promise<void>((resolve, reject) =>
    http.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve),
  );
  const { port } = http.address() as AddressInfo;
  const server = new AuthorizationServer(`http://127.0.0.1:${port}`, options);
  await server.rotateKeys();
  http.on('request', (req: IncomingMessage, res: ServerResponse) => void server.handle(req, res));
  return Object.assign(server, {
    port,
    close: async () => {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      http.closeAllConnections();
      await closed;
    },
  });
}
