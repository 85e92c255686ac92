import { createHash, randomUUID } from 'node:crypto';
import {
  type CallerContext,
  DEFAULT_ORGANIZATION_ID,
  type LeaseAnswer,
  type LeaseRequest,
  queues,
} from '@switchyard/contracts';
import {
  type AuthorizationServerOptions,
  type ProtectedUpstream,
  signIn,
  startAuthorizationServer,
  startProtectedUpstream,
  type TestAuthorizationServer,
  TestBrowser,
} from '@switchyard/testing';
import { decodeJwt } from 'jose';
import { BrokerHarness, newRecipient } from './token-broker-harness-spec.js';

export const audience = 'https://switchyard.example';

/** Brokers, an identity provider, a vendor (authorization server and MCP server); the test plays the registry. */
export class PeopleHarness {
  private constructor(
    readonly broker: BrokerHarness,
    readonly provider: TestAuthorizationServer,
    readonly vendor: TestAuthorizationServer,
    readonly upstream: ProtectedUpstream,
  ) {}

  static async open(vendorOptions: AuthorizationServerOptions = {}): Promise<PeopleHarness> {
    const broker = await BrokerHarness.open();
    const callback = `${broker.publicUrl}/sign-in/callback`;
    const provider = await startAuthorizationServer({
      users: { alice: { roles: ['admin'] }, bob: {}, carol: { roles: ['auditor'] }, service: {} },
      clients: [
        {
          client_id: 'switchyard',
          redirect_uris: [callback],
          grant_types: ['authorization_code'],
          token_endpoint_auth_method: 'none',
        },
      ],
    });
    const vendor = await startAuthorizationServer(vendorOptions);
    const upstream = await startProtectedUpstream({ issuer: vendor.issuer });
    const harness = new PeopleHarness(broker, provider, vendor, upstream);
    await harness.insertProvider(broker.orgId, 'switchyard');
    broker.queue.consume(queues.userRecords, (record) => harness.record(record), { concurrency: 4 });
    return harness;
  }

  async insertProvider(orgId: string, clientId: string, providerAudience = audience): Promise<string> {
    const id = randomUUID();
    await this.broker.sql.query(
      `INSERT INTO registry.identity_providers (id, organization_id, name, issuer, audience, client_id, scopes, roles_claim,
         admin_roles, auditor_roles) VALUES ($1, $2, 'Test', $3, $4, $5, '{openid,profile}', 'roles', '{admin}', '{auditor}')`,
      [id, orgId, this.provider.issuer, providerAudience, clientId],
    );
    return id;
  }

  private async record(record: { orgId: string; issuer: string; subject: string; roles: string[] }) {
    const [row] = await this.broker.sql.query<{ id: string; active: boolean }>(
      `INSERT INTO registry.users (id, organization_id, issuer, subject, username, roles) VALUES ($1, $2, $3, $4, $4, $5)
       ON CONFLICT (organization_id, issuer, subject) DO UPDATE SET last_seen_at = now() RETURNING id, active`,
      [randomUUID(), record.orgId, record.issuer, record.subject, record.roles],
    );
    return { status: 'known' as const, userId: row!.id, active: row!.active };
  }

  /** The user of that name in the registry, made if need be. */
  async userId(subject: string, orgId = this.broker.orgId): Promise<string> {
    return (await this.record({ orgId, issuer: this.provider.issuer, subject, roles: [] })).userId;
  }

  async person(subject: string): Promise<Person> {
    return new Person(this, subject, await this.userId(subject)).signIn();
  }

  insertIntegration(columns: Record<string, unknown> = {}): Promise<string> {
    const transport = JSON.stringify({ type: 'http', url: this.upstream.url });
    return this.broker.insertIntegration('authorization_code', { transport, ...columns });
  }

  /** Makes the stored token look expired, as if its hour were over. */
  async expire(integrationId: string): Promise<void> {
    await this.broker.sql.query(
      `UPDATE vault.user_external_mcp_credentials SET expires_at = now() - interval '1 minute' WHERE integration_id = $1`,
      [integrationId],
    );
  }

  async credential(integrationId: string): Promise<Record<string, any> | undefined> {
    const [row] = await this.broker.sql.query<Record<string, any>>(
      `SELECT * FROM vault.user_external_mcp_credentials WHERE integration_id = $1`,
      [integrationId],
    );
    return row;
  }

  async audit(action: string): Promise<Record<string, any>[]> {
    return this.broker.sql.query(`SELECT * FROM broker.audit_events WHERE action = $1 ORDER BY at`, [action]);
  }

  /** A lease for a call of the user, or of nobody. */
  async lease(
    integrationId: string,
    userId: string | null,
    overrides: Partial<Omit<LeaseRequest, 'caller'>> & { caller?: Partial<CallerContext> } = {},
  ): Promise<Leased> {
    const recipient = await newRecipient();
    const caller = { ...this.caller(userId), ...overrides.caller };
    const subjectTokenSha256 = overrides.subjectToken
      ? createHash('sha256').update(overrides.subjectToken).digest('hex')
      : null;
    const call = overrides.call ?? this.broker.sealedCall(integrationId, { caller, subjectTokenSha256 });
    const request = { orgId: caller.orgId, ...overrides, call, caller, recipient: recipient.jwk };
    const answer = await this.broker.lease(integrationId, request);
    if (answer.status === 'refused') return { answer, token: null };
    const { headers } = await recipient.open(answer.jwe);
    return { answer, token: headers['Authorization']?.replace('Bearer ', '') ?? null, headers };
  }

  async leaseForDiscovery(integrationId: string): Promise<Leased> {
    const { jwk, open } = await newRecipient();
    const answer = await this.broker.lease(integrationId, { call: null, caller: null, recipient: jwk });
    if (answer.status === 'refused') return { answer, token: null };
    const { headers } = await open(answer.jwe);
    return { answer, token: headers['Authorization']?.replace('Bearer ', '') ?? null, headers };
  }

  caller(userId: string | null, orgId = DEFAULT_ORGANIZATION_ID): CallerContext {
    return {
      ...{ kind: userId ? 'user' : 'service', orgId, userId, virtualKeyId: userId ? null : randomUUID() },
      ...{ runKind: 'mcp', roles: [], hasSubjectToken: false },
    };
  }

  async close(): Promise<void> {
    await this.broker.close();
    await Promise.all([this.provider.close(), this.vendor.close(), this.upstream.close()]);
  }
}

export type Leased = { answer: LeaseAnswer; token: string | null; headers?: Record<string, string> };

export function subjectOf({ token }: Leased): string | undefined {
  return token === null ? undefined : decodeJwt(token).sub;
}

export function codeOf({ answer }: Leased): string {
  return answer.status === 'granted' ? answer.authPath : answer.error.code;
}

/** A user and their browser. */
export class Person {
  readonly browser = new TestBrowser();

  constructor(
    private readonly harness: PeopleHarness,
    readonly name: string,
    readonly id: string,
  ) {}

  async signIn(): Promise<Person> {
    const begun = await this.get('/sign-in?return_to=/sign-in');
    const url = await signIn({
      url: begun.headers.get('location') ?? '',
      user: this.name,
      browser: this.browser,
    });
    const done = await this.browser.request(url);
    if (done.status !== 303) throw new Error(`sign-in ended with ${done.status}: ${await done.text()}`);
    return this;
  }

  get(path: string, init?: RequestInit): Promise<Response> {
    return this.browser.request(new URL(path, this.harness.broker.publicUrl).href, init);
  }

  /** Sends the form of the connect page; gives the vendor's URL. */
  async begin(integrationId: string, query = ''): Promise<string> {
    const path = `/integrations/${integrationId}/connect${query}`;
    const page = await (await this.get(path)).text();
    const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    const sent = await this.get(path, {
      method: 'POST',
      body: new URLSearchParams({ form_token: token }),
    });
    const location = sent.headers.get('location');
    if (!location) throw new Error(`the form was answered with ${sent.status}: ${await sent.text()}`);
    return location;
  }

  /** Consents at the vendor; gives the callback's URL, which nobody has opened yet. */
  async consent(
    integrationId: string,
    options: { query?: string; as?: string; deny?: boolean } = {},
  ): Promise<string> {
    const url = await this.begin(integrationId, options.query);
    // At the vendor somebody else is signed in in another browser.
    const browser = options.as === undefined ? this.browser : undefined;
    return signIn({ url, user: options.as ?? this.name, deny: options.deny, browser });
  }

  /** The whole way; gives the last page. */
  async connect(integrationId: string, options: { query?: string; as?: string } = {}): Promise<string> {
    const done = await this.browser.request(await this.consent(integrationId, options));
    const location = done.headers.get('location');
    if (!location) throw new Error(`the callback answered ${done.status}: ${await done.text()}`);
    return (await this.get(location)).text();
  }
}
