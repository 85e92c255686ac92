import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { calmMsOf } from '@switchyard/testing';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { bearer, rpc, until } from '../gateway-client-spec.js';
import type { TestGateway } from '../gateway-harness-spec.js';
import { OAuthHousekeeping } from './housekeeping.service.js';
import {
  begin,
  type Browser,
  connect,
  listTools,
  OAuthHarness,
  pkce,
  refresh,
  register,
  type TestUser,
  type Tokens,
} from './oauth-harness-spec.js';

let harness: OAuthHarness;
let gateway: TestGateway;
let second: TestGateway;
let bob: TestUser;
let providerId: string;
let notesId: string;

beforeAll(async () => {
  harness = await OAuthHarness.open();
  await harness.gateways.addIntegration('up', [{ name: 'echo' }]);
  notesId = await harness.gateways.addIntegration('notes', [{ name: 'add' }]);
  await harness.addPolicy(['up', 'notes']);
  providerId = await harness.addProvider();
  bob = await harness.addUser('bob', providerId);
  gateway = await harness.gateways.startGateway();
  const publicUrl = { GATEWAY_PUBLIC_URL: gateway.url };
  second = await harness.gateways.startGateway(publicUrl);
}, 120_000);
afterAll(() => harness.close());

async function toolsOf({ access_token }: Pick<Tokens, 'access_token'>, at = gateway): Promise<string[]> {
  const { status, body } = await listTools(at.mcpUrl, access_token);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body.result.tools.map(({ name }: { name: string }) => name);
}

async function isRefused({ access_token }: Tokens): Promise<void> {
  for (const { mcpUrl } of [gateway, second])
    await until(async () => expect((await listTools(mcpUrl, access_token)).status).toBe(401));
}

describe('an MCP client', () => {
  it('finds the authorization server from nothing but the URL', async () => {
    const document = await (await fetch(`${gateway.url}/.well-known/oauth-protected-resource`)).json();
    expect(document).toMatchObject({ resource: gateway.mcpUrl, authorization_servers: [gateway.url] });
    for (const name of ['oauth-authorization-server', 'openid-configuration']) {
      const metadata = await (await fetch(`${second.url}/.well-known/${name}`)).json();
      expect(metadata).toMatchObject({
        issuer: gateway.url,
        authorization_endpoint: `${gateway.url}/oauth2/authorize`,
        token_endpoint: `${gateway.url}/oauth2/token`,
        registration_endpoint: `${gateway.url}/oauth2/register`,
        revocation_endpoint: `${gateway.url}/oauth2/revoke`,
        jwks_uri: `${gateway.url}/oauth2/jwks`,
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
        response_types_supported: ['code'],
        response_modes_supported: ['query', 'fragment'],
        scopes_supported: ['mcp'],
      });
    }
  });

  it('gets a token for this resource alone, by which it has the user’s tools at every replica', async () => {
    const tokens = await connect(harness.signIn(gateway, bob));
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'mcp' });
    expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'RS256' });
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      ...{ iss: gateway.url, aud: gateway.mcpUrl, sub: bob.id, client_id: tokens.clientId },
      org_id: bob.orgId,
    });
    expect(await toolsOf(tokens)).toEqual(['notes_add', 'up_echo']);
    expect(await toolsOf(tokens, second)).toEqual(['notes_add', 'up_echo']);
    const refreshed = await refresh(second, tokens);
    expect(refreshed.body).toMatchObject({ expires_in: 600 });
    expect(refreshed.body.refresh_token).not.toBe(tokens.refresh_token);
  });

  it('calls as the user, under the grant, with the roles and claims of the user and no token of theirs', async () => {
    const carol = await harness.addUser('carol', providerId, { roles: ['chef'] });
    const tokens = await connect(harness.signIn(gateway, carol, { team: 'kitchen' }));
    const caller = harness.nextCaller();
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up_echo', arguments: {} } };
    expect((await rpc(gateway.mcpUrl, call, bearer(tokens.access_token))).status).toBe(200);
    expect(await caller).toMatchObject({
      ...{ kind: 'user', userId: carol.id, orgId: carol.orgId, virtualKeyId: null, roles: ['chef'] },
      ...{ hasSubjectToken: false, oauthGrantId: decodeJwt(tokens.access_token)['grant_id'] },
    });
  });

  it('has what policies give to the claims that the user had at consent, and to nobody without them', async () => {
    await harness.gateways.addIntegration('kitchen', [{ name: 'cook' }]);
    const matchers = [{ path: 'team.name', operator: 'EQUALS', value: 'kitchen' }];
    await harness.addPolicy(['kitchen'], { matchers });
    const claims = { team: { name: 'kitchen' }, secret: 'not for jobs' };
    const tokens = await connect(harness.signIn(gateway, bob, claims));
    await until(async () => expect(await toolsOf(tokens)).toContain('kitchen_cook'));
    expect(await toolsOf(await connect(harness.signIn(gateway, bob)))).not.toContain('kitchen_cook');
    const caller = harness.nextCaller();
    const params = { name: 'kitchen_cook', arguments: {} };
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
    await rpc(gateway.mcpUrl, call, bearer(tokens.access_token));
    expect((await caller).claims).toEqual({ 'team.name': 'kitchen' });
  });

  it('has what the user shared and no more, whatever the user may use', async () => {
    const form = { decision: 'allow', share: 'chosen', integration: [notesId, randomUUID()] };
    const tokens = await connect(harness.signIn(gateway, bob), { form });
    expect(await toolsOf(tokens)).toEqual(['notes_add']);
    const nothing = await connect(harness.signIn(gateway, bob), {
      form: { decision: 'allow', share: 'chosen' },
    });
    expect(await toolsOf(nothing)).toEqual([]);
    const unsaid = await connect(harness.signIn(gateway, bob), { form: { decision: 'allow' } });
    expect(await toolsOf(unsaid)).toEqual([]);
  });

  it('is told where the user connects what only they can', async () => {
    const columns = { auth_mode: 'authorization_code' };
    const id = await harness.gateways.addIntegration('mail', [{ name: 'send' }], { columns });
    await harness.addPolicy(['mail']);
    const browser = harness.signIn(gateway, bob);
    const { body } = await register(gateway);
    const page = await begin(browser, { clientId: body.client_id, challenge: pkce().challenge });
    await until(async () => {
      const html = await (await browser.get(page)).text();
      expect(html).toContain(`/integrations/${id}/connect?return_to=${encodeURIComponent(page)}`);
    });
  });

  it('has a toolset by a token for the toolset, if the user may use it', async () => {
    const [id, resource] = [randomUUID(), `${gateway.mcpUrl}/bundle`];
    const configs = JSON.stringify([{ mcp_client_name: 'notes', tools_to_execute: ['*'] }]);
    await harness.gateways.sql.query(
      `INSERT INTO registry.toolsets (id, organization_id, slug, name, mcp_configs, user_ids, virtual_key_ids, roles)
       VALUES ($1, $2, 'bundle', 'Bundle', $3, $4, '{}', '{}')`,
      [id, bob.orgId, configs, [bob.id]],
    );
    await harness.gateways.registryChanged(id);
    const tokens = await eventuallyDone(() => connect(harness.signIn(gateway, bob), { resource }));
    const { body } = await listTools(resource, tokens.access_token);
    expect(body.result.tools.map(({ name }: { name: string }) => name)).toEqual(['notes_add']);
    expect((await listTools(gateway.mcpUrl, tokens.access_token)).status).toBe(401);
    const dave = await harness.addUser('dave', providerId);
    const browser = harness.signIn(gateway, dave);
    const client = (await register(gateway)).body.client_id;
    const page = await begin(browser, { clientId: client, challenge: pkce().challenge, resource });
    const html = await (await browser.get(page)).text();
    expect(html).not.toContain('value="allow"');
    const form_token = /name="form_token" value="([^"]+)"/.exec(html)?.[1] ?? '';
    expect((await browser.post(page, { form_token, decision: 'allow' })).status).toBe(403);
  });
});

describe('what a user allowed', () => {
  it('ends with the user and with the trust in their identity provider', async () => {
    const otherProvider = await harness.addProvider();
    const [erin, frank] = [
      await harness.addUser('erin', providerId),
      await harness.addUser('frank', otherProvider),
    ];
    const [ofErin, ofFrank] = [
      await connect(harness.signIn(gateway, erin)),
      await eventuallyDone(() => connect(harness.signIn(gateway, frank))),
    ];
    await harness.gateways.sql.query(`UPDATE registry.users SET active = false WHERE id = $1`, [erin.id]);
    await harness.gateways.sql.query(`UPDATE registry.identity_providers SET enabled = false WHERE id = $1`, [
      otherProvider,
    ]);
    await harness.gateways.registryChanged(erin.id);
    for (const tokens of [ofErin, ofFrank]) {
      await isRefused(tokens);
      expect((await refresh(gateway, tokens)).body.error).toBe('invalid_grant');
    }
  });

  it('is listed for its user and their admins, who end it; streams end within 2 s at every replica', async () => {
    const gina = await harness.addUser('gina', providerId);
    const browser = harness.signIn(gateway, gina);
    const tokens = await connect(browser);
    const stranger = harness.signIn(gateway, bob);
    const { items } = await grantsOf(browser);
    expect(items).toEqual([
      expect.objectContaining({
        ...{ user_id: gina.id, client_id: tokens.clientId, client_name: 'Test client' },
        ...{ client_verified_by: null, resource: gateway.mcpUrl, integration_ids: null },
      }),
    ]);
    const [{ id }] = items as [{ id: string }];
    expect((await grantsOf(stranger)).items.some((one) => one.id === id)).toBe(false);
    expect((await stranger.send(`/api/oauth/grants/${id}`, fromUs('DELETE'))).status).toBe(404);
    const open = await Promise.all([gateway, second].map(({ mcpUrl }) => openStream(mcpUrl, tokens)));
    expect((await browser.send(`/api/oauth/grants/${id}`, { method: 'DELETE' })).status).toBe(403);
    const waitedMs = await calmMsOf(async () => {
      expect((await browser.send(`/api/oauth/grants/${id}`, fromUs('DELETE'))).status).toBe(204);
      await Promise.all(open.map((stream) => stream.text().catch(() => undefined)));
      await isRefused(tokens);
    });
    expect(waitedMs).toBeLessThan(2_000);
    expect((await refresh(second, tokens)).body.error).toBe('invalid_grant');
    expect((await grantsOf(browser)).items).toEqual([]);
    const revoked = { action: 'grant_revoked', userId: gina.id, result: 'ok' };
    await until(() => expect(harness.audit).toContainEqual(expect.objectContaining(revoked)));
  });

  it('is ended on a page too, by its user in their own session', async () => {
    const ivan = await harness.addUser('ivan', providerId);
    const [browser, stranger] = [harness.signIn(gateway, ivan), harness.signIn(gateway, bob)];
    const tokens = await connect(browser);
    const tokenIn = async (page: Response) =>
      /name="form_token" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
    const path = `/oauth2/grants/${String(decodeJwt(tokens.access_token)['grant_id'])}`;
    await connect(stranger);
    const [own, theirs] = [await browser.get('/oauth2/grants'), await stranger.get('/oauth2/grants')];
    expect(own.headers.get('content-security-policy')).toContain("default-src 'none'");
    const [mine, notMine] = [await tokenIn(own), await tokenIn(theirs)];
    expect((await browser.post(path, { form_token: notMine })).status).toBe(403);
    expect((await stranger.post(path, { form_token: notMine })).status).toBe(303);
    expect(await toolsOf(tokens)).toContain('up_echo');
    expect((await browser.post(path, { form_token: mine })).status).toBe(303);
    await isRefused(tokens);
    expect(await (await browser.get('/oauth2/grants')).text()).toContain('no application');
    const nobody = await harness.anonymous(gateway).get('/oauth2/grants');
    expect(nobody.headers.get('location')).toBe('/sign-in?return_to=%2Foauth2%2Fgrants');
  });

  it('is nobody’s of another organization, not even its admins’', async () => {
    const orgId = await harness.gateways.addOrganization('neighbours');
    const theirs = await harness.addProvider(orgId, ['admin']);
    const hank = await harness.addUser('hank', theirs, { orgId, roles: ['admin'] });
    const admin = await harness.addUser('ada', await harness.addProvider(undefined, ['admin']), {
      roles: ['admin'],
    });
    await connect(harness.signIn(gateway, bob));
    const tokens = await connect(harness.signIn(gateway, bob));
    const id = String(decodeJwt(tokens.access_token)['grant_id']);
    const [foreign, own] = [harness.signIn(gateway, hank), harness.signIn(gateway, admin)];
    expect((await grantsOf(foreign)).items).toEqual([]);
    expect((await foreign.send(`/api/oauth/grants/${id}`, fromUs('DELETE'))).status).toBe(404);
    const first = await own.get('/api/oauth/grants?limit=1');
    const { items, next_cursor } = (await first.json()) as { items: { id: string }[]; next_cursor: string };
    expect(items.map((one) => one.id)).toEqual([id]);
    const rest = await own.get(`/api/oauth/grants?cursor=${next_cursor}&limit=200`);
    const older = (await rest.json()) as { items: { id: string }[] };
    expect(older.items.every((one) => one.id < id)).toBe(true);
    expect((await own.send(`/api/oauth/grants/${id}`, fromUs('DELETE'))).status).toBe(204);
    await isRefused(tokens);
    // Several organizations: who they are is asked before anybody signs in.
    const client = (await register(gateway)).body.client_id;
    const nobody = harness.anonymous(gateway);
    const page = await begin(nobody, { clientId: client, challenge: pkce().challenge });
    expect(await (await nobody.get(page)).text()).toContain('name="organization"');
  });
});

describe('GATEWAY_MCP_SERVER_AUTH_MODE', () => {
  it('`headers` has no authorization server, and no token of one counts', async () => {
    const tokens = await connect(harness.signIn(gateway, bob));
    const off = await harness.gateways.startGateway({
      GATEWAY_MCP_SERVER_AUTH_MODE: 'headers',
      GATEWAY_PUBLIC_URL: gateway.url,
    });
    for (const path of ['/.well-known/oauth-authorization-server', '/oauth2/jwks', '/oauth2/interaction/x'])
      expect((await fetch(`${off.url}${path}`)).status).toBe(404);
    const document = await fetch(`${off.url}/.well-known/oauth-protected-resource`);
    expect(await document.json()).toMatchObject({ authorization_servers: [] });
    expect((await listTools(off.mcpUrl, tokens.access_token)).status).toBe(401);
  });

  it('`oauth` refuses keys on /mcp, with the challenge, and takes tokens', async () => {
    const { key } = await harness.gateways.addKey();
    const only = await harness.gateways.startGateway({
      GATEWAY_MCP_SERVER_AUTH_MODE: 'oauth',
      GATEWAY_PUBLIC_URL: gateway.url,
      GATEWAY_ENFORCE_AUTH_ON_INFERENCE: 'false',
    });
    for (const headers of [bearer(key), {}]) {
      const { status, body, headers: answered } = await rpc(only.mcpUrl, {}, headers);
      expect([status, answered.get('www-authenticate')]).toEqual([
        401,
        `Bearer resource_metadata="${gateway.url}/.well-known/oauth-protected-resource"`,
      ]);
      expect(body.next).toMatch(/^Connect by OAuth/);
    }
    expect((await rpc(`${only.url}/mcp/%62undle`, {}, bearer(key))).status).toBe(401);
    await until(async () =>
      expect((await fetch(`${only.url}/api/tool-calls`, { headers: bearer(key) })).status).toBe(200),
    );
    expect(await toolsOf(await connect(harness.signIn(gateway, bob)), only)).toContain('up_echo');
  });
});

describe('a page of an allowed origin', () => {
  it('may read the metadata, register and redeem; one of another origin may not', async () => {
    const from = (origin: string, path: string, init: RequestInit = {}) =>
      fetch(`${gateway.url}${path}`, { ...init, headers: { ...init.headers, origin } });
    const own = 'http://localhost:5173';
    const post = { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token' }) };
    for (const [path, init] of [
      ['/.well-known/oauth-authorization-server', {}],
      ['/oauth2/token', post],
    ] as const) {
      expect((await from(own, path, init)).headers.get('access-control-allow-origin')).toBe(own);
      expect((await from('https://evil.test', path, init)).status).toBe(403);
    }
  });
});

describe('what is over', () => {
  it('is deleted, and what holds stays', async () => {
    const tokens = await connect(harness.signIn(gateway, bob));
    const { sql } = harness.gateways;
    const count = async (table: string) =>
      (await sql.query<{ n: number }>(`SELECT count(*)::int AS n FROM gateway.${table}`))[0]?.n;
    await sql.query(`UPDATE gateway.oauth_payloads SET expires_at = now() - interval '2 hours'
      WHERE model IN ('Interaction', 'Session', 'AuthorizationCode')`);
    await sql.query(
      `UPDATE gateway.oauth_grants SET revoked_at = now() - interval '31 days' WHERE client_id <> $1`,
      [tokens.clientId],
    );
    await sql.query(`UPDATE gateway.oauth_clients SET created_at = now() - interval '8 days'`);
    await gateway.service.app.get(OAuthHousekeeping).clean();
    expect([await count('oauth_grants'), await count('oauth_clients')]).toEqual([1, 1]);
    expect((await refresh(gateway, tokens)).status).toBe(200);
  });
});

describe('clients', () => {
  it('register as often as the limit says, at all replicas together', async () => {
    const limited = await harness.gateways.startGateway({
      GATEWAY_OAUTH_REGISTRATIONS_PER_HOUR: '1',
      GATEWAY_PUBLIC_URL: gateway.url,
    });
    await register(gateway);
    const { status, body } = await register(limited);
    expect([status, body.code]).toEqual([429, 'rate_limited']);
  });

  it.each([
    'https://127.0.0.1:PORT/client.json',
    'https://169.254.169.254/client.json',
    'https://[::1]/client.json',
    'https://10.0.0.1/client.json',
    'https://2130706433/client.json',
    'https://localhost/client.json',
  ])('are not fetched from %s', async (pattern) => {
    const strict = await harness.strictGateway();
    let connections = 0;
    const target = createServer((socket) => void (connections++, socket.destroy())).listen(0, '127.0.0.1');
    await once(target, 'listening');
    const clientId = pattern.replace('PORT', String((target.address() as AddressInfo).port));
    const response = await harness
      .anonymous(strict)
      .get(
        `/oauth2/authorize?${new URLSearchParams({ client_id: clientId, response_type: 'code' }).toString()}`,
      );
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(await response.text()).toContain('invalid_client');
    expect(connections).toBe(0);
    target.close();
  });
});

async function grantsOf(browser: Browser): Promise<{ items: { id: string }[] }> {
  const response = await browser.get('/api/oauth/grants');
  expect(response.status).toBe(200);
  return (await response.json()) as { items: { id: string }[] };
}

function fromUs(method: string): RequestInit {
  return { method, headers: { origin: gateway.url } };
}

async function openStream(mcpUrl: string, { access_token }: Tokens): Promise<Response> {
  const headers = { accept: 'text/event-stream', ...bearer(access_token) };
  const response = await fetch(mcpUrl, { headers });
  expect(response.status).toBe(200);
  return response;
}

/** Tries again until the gateways have heard of the rows. */
async function eventuallyDone<T>(work: () => Promise<T>): Promise<T> {
  let value: T | undefined;
  await until(async () => void (value = await work()));
  return value as T;
}
