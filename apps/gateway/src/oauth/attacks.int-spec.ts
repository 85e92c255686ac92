import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { calmMsOf } from '@switchyard/testing';
import { decodeJwt, decodeProtectedHeader, exportJWK, importSPKI, SignJWT } from 'jose';
import { bearer, rpc, until } from '../gateway-client-spec.js';
import type { TestGateway } from '../gateway-harness-spec.js';
import {
  answer,
  authorizePath,
  begin,
  Browser,
  connect,
  listTools,
  OAuthHarness,
  pkce,
  redeem,
  redirectUri,
  refresh,
  register,
  type TestUser,
  token,
} from './oauth-harness-spec.js';

let harness: OAuthHarness;
let gateway: TestGateway;
let second: TestGateway;
let bob: TestUser;
let eve: TestUser;

beforeAll(async () => {
  harness = await OAuthHarness.open();
  await harness.gateways.addIntegration('up', [{ name: 'echo' }]);
  await harness.addPolicy(['up']);
  const providerId = await harness.addProvider();
  [bob, eve] = [await harness.addUser('bob', providerId), await harness.addUser('eve', providerId)];
  gateway = await harness.gateways.startGateway();
  second = await harness.gateways.startGateway({
    SWITCHYARD_PUBLIC_URL: gateway.url,
    GATEWAY_PUBLIC_URL: gateway.url,
  });
}, 120_000);
afterAll(() => harness.close());

async function client(metadata: Record<string, unknown> = {}): Promise<string> {
  return (await register(gateway, metadata)).body.client_id;
}

/** A code that nobody has redeemed. */
async function freshCode(user: TestUser = bob) {
  const clientId = await client();
  const { verifier, challenge } = pkce();
  const browser = harness.signIn(gateway, user);
  const url = await answer(browser, await begin(browser, { clientId, challenge }));
  return { clientId, verifier, code: url.searchParams.get('code') ?? '', url };
}

describe('redirect URIs', () => {
  it.each([
    ['a suffix', 'https://app.example.com/cb/evil'],
    ['a query', 'https://app.example.com/cb?x=1'],
    ['another port', 'https://app.example.com:444/cb'],
    ['a fragment', 'https://app.example.com/cb#x'],
    ['userinfo', 'https://app.example.com@evil.test/cb'],
    ['another case', 'https://app.example.com/CB'],
    ['an encoded path', 'https://app.example.com/%63b'],
    ['dots', 'https://app.example.com/x/../cb'],
    ['another scheme', 'http://app.example.com/cb'],
    ['a subdomain', 'https://app.example.com.evil.test/cb'],
  ])('are compared exactly: %s is refused, and nobody is sent there', async (_name, tried) => {
    const clientId = await client({ redirect_uris: ['https://app.example.com/cb'] });
    const ask = { clientId, challenge: pkce().challenge, redirectUri: tried };
    const response = await new Browser(gateway).get(authorizePath(gateway, ask));
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
  });

  it('of an editor that lists all that it could do are registered', async () => {
    const { status, body } = await register(gateway, {
      ...{ client_name: 'Visual Studio Code', client_uri: 'https://code.visualstudio.com', scope: 'openid' },
      redirect_uris: ['https://vscode.dev/redirect', 'http://127.0.0.1:33418/', 'http://localhost/'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    });
    expect([status, body.grant_types]).toEqual([201, ['authorization_code', 'refresh_token']]);
  });

  it('on loopback may have any port, for programs that take what is free (RFC 8252)', async () => {
    const clientId = await client({ redirect_uris: ['http://127.0.0.1/callback'] });
    const ask = { clientId, challenge: pkce().challenge, redirectUri: 'http://127.0.0.1:5123/callback' };
    expect(await begin(new Browser(gateway), ask)).toMatch(/^\/oauth2\/interaction\//);
  });

  it.each(['http://app.example.com/cb', 'javascript:alert(1)', 'myapp://cb', 'https://a.test/*', 'data:x'])(
    'such as %s are not registered',
    async (uri) => {
      const { status, body } = await register(gateway, { redirect_uris: [uri] });
      expect([status, body.error]).toEqual([400, 'invalid_redirect_uri']);
    },
  );
});

describe('an authorization request', () => {
  it.each([
    ['no PKCE', { code_challenge: '', code_challenge_method: '' }],
    ['plain PKCE', { code_challenge_method: 'plain' }],
    ['another response type', { response_type: 'token' }],
    ['a request object', { request: 'eyJhbGciOiJub25lIn0.e30.' }],
  ])('with %s is refused', async (_name, more) => {
    const ask = { clientId: await client(), challenge: pkce().challenge, more };
    const response = await new Browser(gateway).get(authorizePath(gateway, ask));
    const location = new URL(response.headers.get('location') ?? '');
    const answered = new URLSearchParams(location.search || location.hash.slice(1));
    expect(answered.get('error')).toMatch(/^(invalid_request|unsupported_|request_not)/);
    expect([answered.get('iss'), answered.has('code')]).toEqual([gateway.url, false]);
  });

  it.each([
    'https://evil.test/mcp',
    'http://127.0.0.1:9/mcp',
    'GATEWAY/api',
    'GATEWAY/mcp/',
    'GATEWAY/mcp?x=1',
    'GATEWAY/mcp/a/b',
  ])('for %s is refused: that is no resource of ours', async (pattern) => {
    const resource = pattern.replace('GATEWAY', gateway.url);
    const ask = { clientId: await client(), challenge: pkce().challenge, resource };
    const response = await new Browser(gateway).get(authorizePath(gateway, ask));
    const location = new URL(response.headers.get('location') ?? '');
    expect(location.searchParams.get('error')).toBe('invalid_target');
  });

  it('of a client that nobody knows is refused', async () => {
    const ask = { clientId: randomUUID(), challenge: pkce().challenge };
    const response = await new Browser(gateway).get(authorizePath(gateway, ask));
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
  });

  it('is never answered without the user, though they allowed the same client before', async () => {
    const tokens = await connect(harness.signIn(gateway, bob));
    const browser = harness.signIn(gateway, bob);
    const ask = { clientId: tokens.clientId, challenge: pkce().challenge };
    expect(await begin(browser, ask)).toMatch(/^\/oauth2\/interaction\//);
    const silent = await browser.get(authorizePath(gateway, { ...ask, more: { prompt: 'none' } }));
    const location = new URL(silent.headers.get('location') ?? '');
    expect(location.searchParams.get('error')).toBe('consent_required');
  });
});

describe('consent', () => {
  it('is ended in the browser that began, signed in or not, and in no other', async () => {
    const attacker = harness.signIn(gateway, eve);
    const page = await begin(attacker, { clientId: await client(), challenge: pkce().challenge });
    const victim = harness.signIn(gateway, bob);
    expect((await victim.get(page)).status).toBe(400);
    expect((await victim.post(page, { decision: 'allow' })).status).toBe(400);
    const resume = page.replace('interaction', 'authorize');
    expect((await victim.get(resume)).status).toBe(400);
  });

  it('needs the token of this page, this session and this user, and no other origin', async () => {
    const browser = harness.signIn(gateway, bob);
    const page = await begin(browser, { clientId: await client(), challenge: pkce().challenge });
    const elsewhere = harness.signIn(gateway, bob);
    const other = await begin(elsewhere, { clientId: await client(), challenge: pkce().challenge });
    const tokenOf = async (path: string, at = browser) =>
      /name="form_token" value="([^"]+)"/.exec(await (await at.get(path)).text())?.[1] ?? '';
    for (const form_token of ['', 'x', await tokenOf(other, elsewhere)]) {
      const refused = await browser.post(page, { form_token, decision: 'allow' });
      expect([refused.status, refused.headers.get('location')]).toEqual([403, null]);
    }
    const good = { form_token: await tokenOf(page), decision: 'allow' };
    const foreign = await browser.post(page, good, { origin: 'http://localhost:1234' });
    expect(foreign.status).toBe(403);
    expect((await browser.post(page, good)).status).toBe(303);
    // Once.
    expect((await browser.post(page, good)).status).toBe(400);
  });

  it('shows who asks and where the answer goes, runs no script and fits into no frame', async () => {
    const browser = harness.signIn(gateway, bob);
    const clientId = await client({
      client_name: '<b>Friendly</b>',
      redirect_uris: ['https://app.example.com/cb'],
    });
    const ask = { clientId, challenge: pkce().challenge, redirectUri: 'https://app.example.com/cb' };
    const response = await browser.get(await begin(browser, ask));
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("form-action 'self' https://app.example.com;");
    const html = await response.text();
    expect(html).toContain('&lt;b&gt;Friendly&lt;/b&gt;');
    expect(html).toContain('Not verified.');
    for (const shown of ['app.example.com', 'bob', 'up', 'prompt=login">Sign in as somebody else'])
      expect(html).toContain(shown);
  });

  it('asks to sign in first where nobody is, and again where the client wants that', async () => {
    const stranger = new Browser(gateway);
    const ask = { clientId: await client(), challenge: pkce().challenge };
    const page = await begin(stranger, ask);
    const sent = await stranger.get(page);
    expect(sent.headers.get('location')).toBe(
      `/sign-in?organization=default&return_to=${encodeURIComponent(page)}`,
    );
    const browser = harness.signIn(gateway, bob, {}, Date.now() - 60_000);
    const again = await begin(browser, { ...ask, more: { prompt: 'login' } });
    expect((await browser.get(again)).headers.get('location')).toMatch(/^\/sign-in\?.*&prompt=login$/);
  });

  it('may be refused: the client hears of it, and so does the audit log', async () => {
    const browser = harness.signIn(gateway, bob);
    const page = await begin(browser, { clientId: await client(), challenge: pkce().challenge });
    const url = await answer(browser, page, { decision: 'deny' });
    expect(url.href.startsWith(redirectUri)).toBe(true);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      ...{ error: 'access_denied', state: 'the-state', iss: gateway.url },
    });
    await until(() =>
      expect(harness.audit).toContainEqual(
        expect.objectContaining({ action: 'client_denied', result: 'refused', userId: bob.id }),
      ),
    );
  });
});

describe('a code', () => {
  it('is redeemed at any replica, with its verifier, redirect URI and client alone', async () => {
    const { clientId, verifier, code } = await freshCode();
    const good = {
      ...{ grant_type: 'authorization_code', client_id: clientId, code, code_verifier: verifier },
      redirect_uri: redirectUri,
    };
    const wrong: Record<string, string>[] = [
      { code_verifier: pkce().verifier },
      { code_verifier: '' },
      { redirect_uri: 'http://127.0.0.1:10/callback' },
      { client_id: await client() },
      { resource: `${gateway.mcpUrl}/other` },
    ];
    for (const changed of wrong) {
      const refused = await token(gateway, { ...good, ...changed });
      expect([refused.status, refused.body.error]).toEqual([
        400,
        expect.stringMatching(/^invalid_(grant|request|target)$/),
      ]);
    }
  });

  it('works once; its second use ends what the first one gave, at every replica within 2 s', async () => {
    const { clientId, verifier, code } = await freshCode();
    const { body: tokens } = await redeem(second, { clientId, code, verifier });
    expect((await listTools(gateway.mcpUrl, tokens.access_token)).status).toBe(200);
    const replay = await redeem(gateway, { clientId, code, verifier });
    expect([replay.status, replay.body.error]).toEqual([400, 'invalid_grant']);
    const isOut = (url: string) =>
      until(async () => expect((await listTools(`${url}/mcp`, tokens.access_token)).status).toBe(401));
    const waitedMs = await calmMsOf(() => Promise.all([gateway, second].map(({ url }) => isOut(url))));
    expect(waitedMs).toBeLessThan(2_000);
    expect((await refresh(gateway, { clientId, ...tokens })).body.error).toBe('invalid_grant');
  });
});

describe('a refresh token', () => {
  it('used twice ends its whole family, and the audit log says so', async () => {
    const first = await connect(harness.signIn(gateway, bob));
    const { body: rotated } = await refresh(second, first);
    expect((await refresh(gateway, first)).body.error).toBe('invalid_grant');
    expect((await refresh(gateway, { ...rotated, clientId: first.clientId })).body.error).toBe(
      'invalid_grant',
    );
    await until(async () => expect((await listTools(gateway.mcpUrl, rotated.access_token)).status).toBe(401));
    await until(() =>
      expect(harness.audit).toContainEqual(
        expect.objectContaining({ action: 'refresh_reused', result: 'refused', userId: bob.id }),
      ),
    );
  });

  it('used by several at once serves one of them at most', async () => {
    const tokens = await connect(harness.signIn(gateway, bob));
    const answers = await Promise.all([gateway, second, gateway, second].map((one) => refresh(one, tokens)));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
  });

  it('of another client is refused', async () => {
    const tokens = await connect(harness.signIn(gateway, bob));
    const stolen = await refresh(gateway, { ...tokens, clientId: await client() });
    expect(stolen.body.error).toBe('invalid_grant');
  });

  it('ends when the client revokes it, and the access token with it', async () => {
    const tokens = await connect(harness.signIn(gateway, bob));
    const body = new URLSearchParams({ token: tokens.refresh_token, client_id: tokens.clientId });
    expect((await fetch(`${gateway.url}/oauth2/revoke`, { method: 'POST', body })).status).toBe(200);
    expect((await refresh(gateway, tokens)).body.error).toBe('invalid_grant');
    await until(async () => expect((await listTools(second.mcpUrl, tokens.access_token)).status).toBe(401));
  });

  it('never lies in the database, nor does any code, secret or private key', async () => {
    const tokens = await connect(harness.signIn(gateway, bob));
    const { body } = await register(gateway, { token_endpoint_auth_method: 'client_secret_basic' });
    const rows = await Promise.all(
      ['oauth_clients', 'oauth_grants', 'oauth_payloads', 'oauth_keys'].map((table) =>
        harness.gateways.sql
          .query(`SELECT t::text AS text, encode(convert_to(t::text, 'utf8'), 'escape') AS raw
          FROM gateway.${table} t`),
      ),
    );
    const all = JSON.stringify(rows);
    const secrets = [tokens.refresh_token, tokens.access_token, tokens.code, body.client_secret];
    for (const secret of secrets) {
      expect(all).not.toContain(secret);
      expect(all).not.toContain(Buffer.from(secret).toString('hex'));
    }
    expect(all).not.toContain('"d"');
  });
});

describe('an access token', () => {
  it('is for its resource: not for a toolset, not for other paths, not for other gateways', async () => {
    const { access_token: forMcp } = await connect(harness.signIn(gateway, bob));
    expect((await listTools(`${gateway.mcpUrl}/bundle`, forMcp)).status).toBe(401);
    for (const path of ['/api/tool-calls', '/api/bff/tools', '/v1/mcp/tools', '/api/oauth/grants']) {
      const response = await fetch(`${gateway.url}${path}`, { headers: bearer(forMcp) });
      expect([path, response.status]).toEqual([path, 401]);
    }
    const elsewhere = await harness.gateways.startGateway({ GATEWAY_PUBLIC_URL: 'https://mcp.example.com' });
    expect((await listTools(elsewhere.mcpUrl, forMcp)).status).toBe(401);
  });

  it('that is refused comes with the challenge of its own endpoint', async () => {
    const at = async (path: string) =>
      (await rpc(`${gateway.url}${path}`, {}, bearer('a.b.c'))).headers.get('www-authenticate');
    const document = `${gateway.url}/.well-known/oauth-protected-resource`;
    expect(await at('/mcp')).toBe(`Bearer resource_metadata="${document}"`);
    expect(await at('/mcp/bundle')).toBe(`Bearer resource_metadata="${document}/mcp/bundle"`);
    const read = await fetch(`${document}/mcp/bundle`);
    expect(await read.json()).toMatchObject({ resource: `${gateway.mcpUrl}/bundle` });
  });

  it('is taken with its own signature, algorithm, type and key alone', async () => {
    const { access_token: good } = await connect(harness.signIn(gateway, bob));
    const [claims, header] = [decodeJwt(good), decodeProtectedHeader(good)];
    const [, payload, signature] = good.split('.') as [string, string, string];
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const { keys } = (await (await fetch(`${gateway.url}/oauth2/jwks`)).json()) as { keys: any[] };
    const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = own.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const signed = (more: object, changes: object = {}) =>
      new SignJWT({ ...claims, ...changes })
        .setProtectedHeader({ ...header, alg: 'RS256', ...more } as never)
        .sign(own.privateKey);
    const forged = [
      `${encode({ ...header, alg: 'none' })}.${payload}.`,
      `${encode({ ...header, alg: 'none' })}.${payload}.${signature}`,
      `${encode(header)}.${encode({ ...claims, sub: eve.id })}.${signature}`,
      await new SignJWT(claims)
        .setProtectedHeader({ ...header, alg: 'HS256' } as never)
        .sign(new TextEncoder().encode(JSON.stringify(keys[0]))),
      await signed({}),
      await signed({ kid: 'unknown' }),
      await signed({ jwk: await exportJWK(await importSPKI(pem, 'RS256')) }),
      await signed({ jku: 'https://evil.test/jwks', kid: 'evil' }),
      await signed({ typ: 'JWT' }),
    ];
    for (const jwt of forged) {
      const { status, body } = await listTools(gateway.mcpUrl, jwt);
      expect([status, body.code]).toEqual([401, 'unauthenticated']);
    }
    expect((await listTools(gateway.mcpUrl, good)).status).toBe(200);
  });

  it('next to another credential is refused', async () => {
    const { access_token: good } = await connect(harness.signIn(gateway, bob));
    const headers = { ...bearer(good), 'x-api-key': 'vk_x' };
    const { status, body } = await rpc(gateway.mcpUrl, { jsonrpc: '2.0', id: 1, method: 'ping' }, headers);
    expect([status, body.code]).toEqual([400, 'credentials_conflict']);
  });
});

// Last: the gateways above go on with the key that is deleted here.
describe('the signing key', () => {
  it('is made once, however many replicas ask for it at once, and shows no private part', async () => {
    await harness.gateways.sql.query(`DELETE FROM gateway.oauth_keys`);
    const replicas = await Promise.all(
      [1, 2, 3].map(() => harness.gateways.startGateway({ GATEWAY_PUBLIC_URL: gateway.url })),
    );
    const sets = await Promise.all(
      replicas.map(
        async ({ url }) => (await fetch(`${url}/oauth2/jwks`)).json() as Promise<{ keys: object[] }>,
      ),
    );
    expect(new Set(sets.map((set) => JSON.stringify(set))).size).toBe(1);
    expect(sets[0]?.keys).toEqual([
      { kty: 'RSA', use: 'sig', alg: 'RS256', e: 'AQAB', kid: expect.any(String), n: expect.any(String) },
    ]);
  });
});
