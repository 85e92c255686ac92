import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type AuditEvent, type CallerContext, DEFAULT_ORGANIZATION_ID, queues } from '@switchyard/contracts';
import { TestBrowser, testPrefix, testRedisUrl } from '@switchyard/testing';
import { bearer, completed, rpc, textResult } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

export const redirectUri = 'http://127.0.0.1:9/callback';

export type Pkce = { verifier: string; challenge: string };
export type Tokens = { access_token: string; refresh_token: string; scope: string; expires_in: number };
export type TestUser = { id: string; orgId: string; name: string; roles: string[]; providerId: string };

export function pkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** Gateways as authorization servers. The test plays the token broker: who is signed in at a browser, and the audit log. */
export class OAuthHarness {
  readonly audit: AuditEvent[] = [];
  readonly #sessions = new Map<string, TestUser & { signedInAt: number; claims: Record<string, unknown> }>();

  readonly #callers: ((caller: CallerContext) => void)[] = [];
  #isWorking = false;
  #strict: Promise<TestGateway> | undefined;

  private constructor(readonly gateways: GatewayHarness) {}

  static async open(): Promise<OAuthHarness> {
    const url = await testRedisUrl();
    const gateways = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    const harness = new OAuthHarness(gateways);
    gateways.queue.consume(
      queues.browserSessions,
      ({ sessionSha256 }) => Promise.resolve(harness.answer(sessionSha256)),
      { concurrency: 4 },
    );
    gateways.queue.consume(
      queues.auditRecords,
      ({ events }) => {
        harness.audit.push(...events);
        return Promise.resolve({ written: events.length });
      },
      { concurrency: 1 },
    );
    return harness;
  }

  /** An identity provider of the organization, as the registry has it. */
  async addProvider(orgId = DEFAULT_ORGANIZATION_ID, adminRoles: string[] = []): Promise<string> {
    const id = randomUUID();
    await this.gateways.sql.query(
      `INSERT INTO registry.identity_providers (id, organization_id, name, issuer, audience, client_id, scopes, roles_claim,
         admin_roles, auditor_roles) VALUES ($1::uuid, $2, 'Test', 'https://idp.test', $1::text, 'c', '{openid}', 'roles', $3, '{}')`,
      [id, orgId, adminRoles],
    );
    await this.gateways.registryChanged(id);
    return id;
  }

  async addUser(name: string, providerId: string, options: { orgId?: string; roles?: string[] } = {}) {
    const user = { id: randomUUID(), orgId: options.orgId ?? DEFAULT_ORGANIZATION_ID, name };
    const roles = options.roles ?? [];
    await this.gateways.sql.query(
      `INSERT INTO registry.users (id, organization_id, issuer, subject, username, roles)
       VALUES ($1, $2, 'https://idp.test', $3, $3, $4)`,
      [user.id, user.orgId, name, roles],
    );
    return { ...user, roles, providerId };
  }

  /** Everybody of the organization may use the integrations. */
  async addPolicy(
    slugs: string[],
    columns: { roles?: string[] | null; orgId?: string; matchers?: object[] } = {},
  ): Promise<void> {
    const configs = slugs.map((name) => ({ mcp_client_name: name, tools_to_execute: ['*'] }));
    const id = randomUUID();
    await this.gateways.sql.query(
      `INSERT INTO registry.policies (id, organization_id, name, roles, mcp_configs, matchers)
       VALUES ($1, $2, 'test', $3, $4, $5)`,
      [
        id,
        columns.orgId ?? DEFAULT_ORGANIZATION_ID,
        columns.roles ?? null,
        JSON.stringify(configs),
        JSON.stringify(columns.matchers ?? []),
      ],
    );
    await this.gateways.registryChanged(id);
  }

  /** Signs a user in, as the broker does: a cookie in the browser, and who it is behind its digest. */
  signIn(
    gateway: TestGateway,
    user: TestUser,
    claims: Record<string, unknown> = {},
    signedInAt = Date.now(),
  ): Browser {
    const token = randomBytes(32).toString('base64url');
    const sha256 = createHash('sha256').update(token).digest('hex');
    this.#sessions.set(sha256, { ...user, claims, signedInAt });
    return new Browser(gateway, `switchyard_session=${token}`);
  }

  /** The caller of the next call that a worker takes. */
  nextCaller(): Promise<CallerContext> {
    if (this.#callers.length === 0 && !this.#isWorking) {
      this.#isWorking = true;
      this.gateways.work((job) => {
        this.#callers.splice(0).forEach((tell) => tell(job.sealed.call.caller));
        return Promise.resolve(completed(job, textResult('ran')));
      });
    }
    return new Promise((tell) => this.#callers.push(tell));
  }

  /** A browser in which nobody is signed in. */
  anonymous(gateway: TestGateway): Browser {
    return new Browser(gateway);
  }

  /** A gateway that reaches public addresses alone, as in production. */
  strictGateway(): Promise<TestGateway> {
    this.#strict ??= this.gateways.startGateway({ SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'false' });
    return this.#strict;
  }

  private answer(sessionSha256: string) {
    const user = this.#sessions.get(sessionSha256);
    if (!user) return { status: 'signed_out' as const };
    return {
      ...{ status: 'signed_in' as const, orgId: user.orgId, userId: user.id, username: user.name },
      ...{ identityProviderId: user.providerId, roles: user.roles, claims: user.claims },
      ...{ signedInAt: user.signedInAt, expiresAt: Date.now() + 3_600_000 },
    };
  }

  close(): Promise<void> {
    return this.gateways.close();
  }
}

/** A browser at one gateway, in which somebody may be signed in. */
export class Browser {
  constructor(
    readonly gateway: TestGateway,
    private readonly session = '',
    private readonly jar = new TestBrowser(),
  ) {}

  /** The same browser, which the load balancer leads to another replica. */
  at(replica: TestGateway): Browser {
    this.jar.share(this.gateway.url, replica.url);
    return new Browser(replica, this.session, this.jar);
  }

  async get(path: string): Promise<Response> {
    return this.send(path, {});
  }

  async post(path: string, form: Record<string, string | string[]>, headers: Record<string, string> = {}) {
    const body = new URLSearchParams();
    for (const [name, values] of Object.entries(form))
      for (const one of [values].flat()) body.append(name, one);
    return this.send(path, { method: 'POST', body, headers });
  }

  send(path: string, init: RequestInit): Promise<Response> {
    const url = new URL(path, this.gateway.url).href;
    this.jar.set(this.gateway.url, this.session);
    return this.jar.request(url, init);
  }
}

export async function register(
  { url }: TestGateway,
  metadata: Record<string, unknown> = {},
): Promise<{ status: number; body: any }> {
  const response = await fetch(`${url}/oauth2/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Test client',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...metadata,
    }),
  });
  return { status: response.status, body: await response.json() };
}

export type Ask = {
  clientId: string;
  challenge: string;
  resource?: string | null;
  redirectUri?: string;
  more?: Record<string, string>;
};

/** The path of an authorization request. */
export function authorizePath(gateway: TestGateway, ask: Ask): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: ask.clientId,
    redirect_uri: ask.redirectUri ?? redirectUri,
    state: 'the-state',
    code_challenge: ask.challenge,
    code_challenge_method: 'S256',
    ...ask.more,
  });
  if (ask.resource !== null) query.set('resource', ask.resource ?? gateway.mcpUrl);
  return `/oauth2/authorize?${query.toString()}`;
}

/** Opens the request; gives the path of the consent page. */
export async function begin(browser: Browser, ask: Ask): Promise<string> {
  const response = await browser.get(authorizePath(browser.gateway, ask));
  const location = response.headers.get('location');
  if (!location)
    throw new Error(`the request was answered with ${response.status}: ${await response.text()}`);
  return location;
}

/** Answers the consent page; gives where the browser is sent in the end. */
export async function answer(
  browser: Browser,
  page: string,
  form: Record<string, string | string[]> = { decision: 'allow', share: 'all' },
): Promise<URL> {
  const html = await (await browser.get(page)).text();
  const token = /name="form_token" value="([^"]+)"/.exec(html)?.[1] ?? '';
  const sent = await browser.post(page, { form_token: token, ...form });
  const resume = sent.headers.get('location');
  if (!resume) throw new Error(`the form was answered with ${sent.status}: ${await sent.text()}`);
  const done = await browser.get(resume);
  const location = done.headers.get('location');
  if (!location) throw new Error(`the end was ${done.status}: ${await done.text()}`);
  return new URL(location);
}

export async function token(
  { url }: TestGateway,
  params: Record<string, string>,
): Promise<{ status: number; body: any }> {
  const response = await fetch(`${url}/oauth2/token`, { method: 'POST', body: new URLSearchParams(params) });
  return { status: response.status, body: await response.json() };
}

/** The whole way of a client, from registration to tokens. */
export async function connect(
  browser: Browser,
  options: { resource?: string; form?: Record<string, string | string[]> } = {},
): Promise<Tokens & { clientId: string; code: string; verifier: string }> {
  const { gateway } = browser;
  const { body: client } = await register(gateway);
  const { verifier, challenge } = pkce();
  const page = await begin(browser, { clientId: client.client_id, challenge, resource: options.resource });
  const code = (await answer(browser, page, options.form)).searchParams.get('code') ?? '';
  const answered = await redeem(gateway, { clientId: client.client_id, code, verifier });
  if (answered.status !== 200) throw new Error(JSON.stringify(answered.body));
  return { ...answered.body, clientId: client.client_id, code, verifier };
}

export function redeem(
  gateway: TestGateway,
  { clientId, code, verifier }: { clientId: string; code: string; verifier: string },
) {
  return token(gateway, {
    ...{ grant_type: 'authorization_code', client_id: clientId, code, code_verifier: verifier },
    redirect_uri: redirectUri,
  });
}

export function refresh(gateway: TestGateway, tokens: { clientId: string; refresh_token: string }) {
  const { clientId, refresh_token } = tokens;
  return token(gateway, { grant_type: 'refresh_token', client_id: clientId, refresh_token });
}

export async function listTools(mcpUrl: string, accessToken: string) {
  return rpc(mcpUrl, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, bearer(accessToken));
}
