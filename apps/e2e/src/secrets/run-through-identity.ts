import { eventually, signIn, startAuthorizationServer, startProtectedUpstream } from '@switchyard/testing';
import type { AdminApi, Integration } from '../harness/admin-api.js';
import { ask } from '../harness/http.js';
import { bearer, toolNames } from '../harness/mcp-rpc.js';
import { People } from '../harness/people.js';
import type { Switchyard } from '../harness/switchyard.js';

/** What was answered, and every token, code, verifier and client secret that was exchanged meanwhile. */
export type IdentityRun = { texts: Record<string, string>; secrets: Record<string, string> };

const clientSecret = 'canary-secret-of-the-vendors-client-0123456789';
const client = { client_id: 'canary-app', client_secret: clientSecret };
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Sign-in, consent, refresh, exchange, step-up, disconnect, and their failures, with a vendor that notes what it gave out. */
export async function runThroughIdentity(switchyard: Switchyard): Promise<IdentityRun> {
  const people = await People.start(switchyard);
  const vendor = await startAuthorizationServer({
    clients: [{ ...client, grant_types: ['client_credentials', exchange] }],
    trustedIssuers: [people.identityProvider.issuer],
    accessTokenTtlSeconds: 2,
  });
  const upstream = await startProtectedUpstream({ issuer: vendor.issuer });
  const run = new Run(switchyard, people, { url: upstream.url, resource: upstream.resource });
  try {
    await run.all(() => vendor.invalidGrant());
    const exchanged = [...vendor.secrets, ...people.identityProvider.secrets];
    const named = exchanged.map(([value, what], at) => [`${what} ${at}`, value] as const);
    // Shorter ones could be anywhere by chance.
    const secrets = Object.fromEntries(named.filter(([, value]) => value.length >= 16));
    return { texts: run.texts, secrets: { ...secrets, clientSecret, userToken: run.token } };
  } finally {
    await Promise.all([people.close(), vendor.close(), upstream.close()]);
  }
}

class Run {
  readonly texts: Record<string, string> = {};
  readonly admin: AdminApi;
  token = '';

  constructor(
    private readonly switchyard: Switchyard,
    private readonly people: People,
    private readonly upstream: { url: string; resource: string },
  ) {
    this.admin = switchyard.admin;
  }

  async all(invalidGrant: () => void): Promise<void> {
    const ids = await this.register();
    this.token = await this.people.tokenOf('bob');
    await this.connect(ids.code.id);
    for (const slug of ['code', 'own', 'swap']) await this.call(slug, 'whoami');
    // The first access token has run out by then: this is a refresh.
    await eventually(async () => (await this.call('code', 'whoami')).includes('"sub"'));
    await this.call('code', 'admin_only');
    await this.callAsync('swap');
    await this.lookAround(ids.code.id);
    invalidGrant();
    await eventually(async () => (await this.call('code', 'whoami')).includes('needs_reauth'));
    await this.disconnect();
  }

  private async register(): Promise<{ code: Integration }> {
    const oauth = { client_id: client.client_id, resource: this.upstream.resource };
    const fields = { oauth, client_secret: clientSecret };
    const make = (slug: string, more: object) =>
      this.admin.register(`canary-${slug}`, this.upstream.url, more as Record<string, unknown>);
    const configs = ['code', 'own', 'swap'].map((slug) => ({
      ...{ mcp_client_name: `canary-${slug}`, tools_to_execute: ['*'] },
    }));
    await this.admin.must('POST', '/api/policies', { name: 'all', roles: null, mcp_configs: configs });
    await make('own', { auth_mode: 'client_credentials', ...fields });
    await make('swap', { auth_mode: 'token_exchange', ...fields });
    this.texts['a wrong client'] = (
      await this.admin.send('POST', '/api/integrations', {
        ...{ slug: 'x', auth_mode: 'none', client_secret: clientSecret },
        transport: { type: 'http', url: this.upstream.url },
      })
    ).text;
    return { code: await make('code', { auth_mode: 'authorization_code' }) };
  }

  /** Every page on the way, and the callback once more. */
  private async connect(id: string): Promise<void> {
    const begun = await this.people.beginConsent('bob', id);
    const callback = await signIn({ url: begun, user: 'bob' });
    const success = await this.people.open('bob', callback);
    this.texts['the success page'] = `${success.url} ${success.html}`;
    const again = await this.people.open('bob', callback);
    this.texts['a replayed callback'] = again.html;
    const credentials = { authorization: `Bearer ${this.token}` };
    await eventually(async () =>
      (await toolNames(this.switchyard.mcpUrl, credentials)).includes('canary-code_whoami'),
    );
  }

  private async call(slug: string, tool: string): Promise<string> {
    const params = { name: `canary-${slug}_${tool}`, arguments: {} };
    const answer = await ask(this.switchyard.mcpUrl, {
      headers: bearer(this.token),
      body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params },
    });
    this.texts[`${slug} ${tool} ${Object.keys(this.texts).length}`] = answer.text;
    return answer.text;
  }

  private async callAsync(slug: string): Promise<void> {
    const url = new URL('/api/tool-calls', this.switchyard.origin());
    const body = { tool: `canary-${slug}_whoami`, arguments: {} };
    this.texts['an accepted call of a user'] = (await ask(url, { headers: bearer(this.token), body })).text;
    this.texts['calls of a user'] = (await ask(url, { headers: bearer(this.token) })).text;
  }

  private async lookAround(id: string): Promise<void> {
    const paths = [
      ...['/api/credentials', '/api/audit?limit=200', '/api/audit?chain=platform', '/api/users'],
      ...['/api/identity-providers', '/api/integrations', `/api/integrations/${id}`, '/api/policies'],
    ];
    for (const path of paths) this.texts[path] = (await this.admin.send('GET', path)).text;
    const own = new URL('/api/credentials', this.switchyard.origin());
    this.texts['own credentials'] = (await ask(own, { headers: bearer(this.token) })).text;
  }

  private async disconnect(): Promise<void> {
    const { items } = await this.admin.must<{ items: { id: string }[] }>('GET', '/api/credentials');
    for (const { id } of items)
      this.texts[`disconnected ${id}`] = (await this.admin.send('DELETE', `/api/credentials/${id}`)).text;
  }
}
