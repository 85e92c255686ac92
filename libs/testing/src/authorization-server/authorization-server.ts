import type { IncomingMessage, ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, importJWK, SignJWT, type JWK } from 'jose';
import { Provider } from 'oidc-provider';
import { interact } from './interactions.js';
import { MemoryStore, type StoreBehaviour } from './memory-adapter.js';
import { providerConfiguration, type ProviderOptions } from './provider-configuration.js';
import { logged, type LoggedRequest } from './request-log.js';
import type { AuthorizationServerOptions, IssueOptions, TestClient } from './start-authorization-server.js';
import { secretsSeen } from './secrets-seen.js';
import { registerTokenExchange } from './token-exchange.js';
import { claimsOf, type TestUser } from './users.js';

const usualUsers = { alice: { roles: ['admin'] }, bob: { roles: [] } };
const usualScopes = ['notes:read', 'notes:write', 'admin'];

/** What the HTTP server hands its requests to. */
export class AuthorizationServer {
  readonly log: LoggedRequest[] = [];
  readonly secrets = new Map<string, string>();
  down = false;
  accessTokenTtlSeconds: number;
  readonly trustedIssuers: string[];
  private readonly behaviour: StoreBehaviour;
  private readonly store: MemoryStore;
  private readonly users: Record<string, TestUser>;
  private keys: JWK[] = [];
  private provider?: Provider;

  constructor(
    readonly issuer: string,
    private readonly options: AuthorizationServerOptions,
  ) {
    this.users = options.users ?? usualUsers;
    this.accessTokenTtlSeconds = options.accessTokenTtlSeconds ?? 300;
    this.trustedIssuers = [issuer, ...(options.trustedIssuers ?? [])];
    this.behaviour = { refreshDelayMs: 0, refreshesWaiting: 0, reuseLeewayMs: options.reuseLeewayMs ?? 0 };
    this.store = new MemoryStore(this.behaviour);
    for (const client of options.clients ?? []) this.addClient(client);
  }

  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { provider } = this;
    if (this.down || !provider) {
      const { pathname: path } = new URL(req.url ?? '/', this.issuer);
      this.log.push({ method: req.method ?? '', path, status: 503 });
      return void res.writeHead(503).end();
    }
    if (!req.url?.startsWith('/interaction/')) return provider.callback()(req, res);
    await interact(provider, req, res).catch((error: unknown) => {
      if (!res.headersSent) res.writeHead(400);
      res.end(String(error));
    });
  }

  refreshes = (onlySuccessful = false): number =>
    this.log.filter((one) => one.grantType === 'refresh_token' && (!onlySuccessful || one.status === 200))
      .length;

  invalidGrant = (user?: string): void =>
    this.store.remove(
      ({ accountId }, model) =>
        ['RefreshToken', 'Grant'].includes(model) && (user === undefined || accountId === user),
    );

  forgetClients = (clientId?: string): void =>
    this.store.remove(
      (payload, model) => model === 'Client' && (clientId === undefined || payload['client_id'] === clientId),
    );

  refreshesWaiting = (): number => this.behaviour.refreshesWaiting;

  delayRefresh = (ms: number): void => void (this.behaviour.refreshDelayMs = ms);

  addClient = (client: TestClient): void =>
    this.store.put('Client', client.client_id, {
      redirect_uris: [],
      response_types: client.redirect_uris?.length ? ['code'] : [],
      token_endpoint_auth_method: client.client_secret ? 'client_secret_basic' : 'none',
      grant_types: client.redirect_uris?.length
        ? ['authorization_code', 'refresh_token']
        : ['client_credentials'],
      ...client,
    } as never);

  count = (model: string): number =>
    [...this.store.rows.keys()].filter((key) => key.startsWith(`${model}:`)).length;

  rotateKeys = async ({ keepOld = false } = {}): Promise<void> => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const kid = `key-${Date.now()}-${this.keys.length}`;
    this.keys = [
      { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' },
      ...(keepOld ? this.keys : []),
    ];
    this.provider = this.newProvider();
  };

  issueToken = async (user: string, audience: string, more: IssueOptions = {}): Promise<string> => {
    const [key] = this.keys as [JWK];
    const now = Math.floor(Date.now() / 1000);
    const claims = { ...claimsOf(this.users, user), iss: this.issuer, sub: user, aud: audience, iat: now };
    const ttl = more.ttlSeconds ?? this.accessTokenTtlSeconds;
    return new SignJWT({ ...claims, exp: now + ttl, ...more.claims })
      .setProtectedHeader({ alg: 'RS256', kid: key.kid, typ: 'at+jwt', ...more.header })
      .sign(await importJWK(key, 'RS256'));
  };

  private newProvider(): Provider {
    const { options } = this;
    const settings: ProviderOptions = {
      users: this.users,
      scopes: options.scopes ?? usualScopes,
      resources: options.resources,
      defaultResource: options.defaultResource,
      accessTokenTtl: () => this.accessTokenTtlSeconds,
      refreshTokenTtl: options.refreshTokenTtlSeconds ?? 86_400,
    };
    const provider = new Provider(
      this.issuer,
      providerConfiguration(settings, this.store, { keys: this.keys } as never),
    );
    registerTokenExchange(provider, { ...settings, trustedIssuers: () => this.trustedIssuers });
    provider.use(async (ctx, next) => {
      await next();
      this.log.push(logged(ctx as never));
      for (const [what, value] of Object.entries(secretsSeen(ctx as never))) this.secrets.set(value, what);
    });
    return provider;
  }
}
