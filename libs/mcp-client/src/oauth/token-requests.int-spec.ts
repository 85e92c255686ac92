import { describe, expect, it } from '@jest/globals';
import {
  startAuthorizationServer,
  signIn,
  type AuthorizationServerOptions,
  type TestAuthorizationServer,
} from '@switchyard/testing';
import { decodeJwt } from 'jose';
import { closing } from '../../test/sessions.js';
import { developerFetch, hangUp, json, type Route, serverAt, status, vendorOf } from '../../test/vendors.js';
import { checkAuthorizationResponse } from './check-authorization-response.js';
import { discoverAuthorizationServer } from './discover-server.js';
import type { OAuthClient } from './oauth-client.js';
import { registerClient } from './register-client.js';
import { exchangeToken, redeemCode, refreshTokens, requestClientCredentials } from './request-tokens.js';
import { revokeToken } from './revoke-token.js';
import { startConsent } from './start-consent.js';
import type { TokenRequest } from './token-request.js';
import type { TokenOutcome, Tokens } from './tokens.js';

const redirectUri = 'http://127.0.0.1:9/oauth/callback';
const resource = 'http://127.0.0.1:9/mcp';
const secret = 'the secret of the client: +/=&%';
const client: OAuthClient = { clientId: 'c', clientSecret: secret, authMethod: 'client_secret_basic' };

type Ready = { vendor: TestAuthorizationServer; request: TokenRequest };

async function ready(options: AuthorizationServerOptions = {}): Promise<Ready> {
  const vendor = await startAuthorizationServer(options);
  closing.push(vendor.close);
  const fetch = developerFetch();
  const server = await discoverAuthorizationServer({ issuer: vendor.issuer, fetch, settings: {} });
  if (!server) throw new Error('no metadata');
  const registered = await registerClient({
    server,
    fetch,
    redirectUri,
    clientName: 'Switchyard',
    clientUri: null,
    scope: null,
  });
  return { vendor, request: { server, client: registered, fetch, resource } };
}

/** From the registered client to its first tokens. */
async function consent({ request }: Ready, user = 'alice'): Promise<Tokens> {
  const { server } = request;
  const scopes = ['notes:read', 'notes:write'];
  const { url, codeVerifier } = await startConsent({ ...request, redirectUri, state: 's', scopes, resource });
  const params = new URL(await signIn({ url, user })).searchParams;
  const { code } = checkAuthorizationResponse({ server, expectedIssuer: server.issuer, params, redirectUri });
  return tokensOf(await redeemCode({ ...request, code, codeVerifier, redirectUri }));
}

function tokensOf(outcome: TokenOutcome): Tokens {
  if (outcome.status !== 'ok') throw new Error(JSON.stringify(outcome));
  return outcome.tokens;
}

describe('a consent at a real authorization server', () => {
  it('registers, redeems, refreshes by rotation, and revokes', async () => {
    const it = await ready();
    const first = await consent(it);
    expect(decodeJwt(first.accessToken)).toMatchObject({ aud: resource, scope: 'notes:read notes:write' });
    expect(first.expiresAt).toBeGreaterThan(Date.now() + 290_000);
    const second = tokensOf(await refreshTokens({ ...it.request, refreshToken: first.refreshToken ?? '' }));
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(decodeJwt(second.accessToken)).toMatchObject({ aud: resource });
    const token = second.refreshToken ?? '';
    expect(await revokeToken({ ...it.request, token, tokenType: 'refresh_token' })).toEqual({ status: 'ok' });
    expect(await refreshTokens({ ...it.request, refreshToken: token })).toMatchObject({
      status: 'refused',
      error: 'invalid_grant',
    });
  });

  it('redeems a code once, and with its own verifier alone', async () => {
    const it = await ready();
    const { url } = await startConsent({
      ...it.request,
      redirectUri,
      state: 's',
      scopes: ['notes:read'],
      resource,
    });
    const code = new URL(await signIn({ url, user: 'bob' })).searchParams.get('code') ?? '';
    const outcome = await redeemCode({ ...it.request, code, codeVerifier: 'x'.repeat(43), redirectUri });
    expect(outcome).toMatchObject({ status: 'refused', error: 'invalid_grant' });
    expect(JSON.stringify(outcome)).not.toContain(code);
  });

  it('tells a client that the vendor has forgotten', async () => {
    const it = await ready();
    const { refreshToken } = await consent(it);
    it.vendor.forgetClients();
    expect(await refreshTokens({ ...it.request, refreshToken: refreshToken ?? '' })).toMatchObject({
      status: 'refused',
      error: 'invalid_client',
    });
  });

  it('tells a vendor that is down from one that refuses', async () => {
    const it = await ready();
    const { refreshToken } = await consent(it);
    it.vendor.down = true;
    const refresh = () => refreshTokens({ ...it.request, refreshToken: refreshToken ?? '' });
    expect(await refresh()).toEqual({ status: 'unavailable', reason: 'http_503', retryAfterMs: null });
    it.vendor.down = false;
    expect(await refresh()).toMatchObject({ status: 'ok' });
    await it.vendor.close();
    expect(await refresh()).toMatchObject({ status: 'unavailable' });
  });
});

describe('tokens without a user’s consent', () => {
  const machine = { client_id: 'c', client_secret: secret };
  const exchanger = { ...machine, grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'] };

  it('are the integration’s own, with every way of client authentication', async () => {
    for (const authMethod of ['client_secret_basic', 'client_secret_post'] as const) {
      const { request } = await ready({ clients: [{ ...machine, token_endpoint_auth_method: authMethod }] });
      const as = { ...request, client: { ...client, authMethod } };
      const { accessToken, scopes } = tokensOf(await requestClientCredentials({ ...as, scopes: ['admin'] }));
      expect(decodeJwt(accessToken)).toMatchObject({ sub: 'c', aud: resource });
      expect(scopes).toEqual(['admin']);
    }
  });

  it('are exchanged for a user’s, and a refusal says nothing of the subject token', async () => {
    const { vendor, request } = await ready({ clients: [exchanger] });
    const subjectToken = await vendor.issueToken('bob', 'https://gateway.test');
    const as = { ...request, client, subjectToken, audience: resource, scopes: ['notes:read'] };
    expect(decodeJwt(tokensOf(await exchangeToken(as)).accessToken)).toMatchObject({
      sub: 'bob',
      aud: resource,
    });
    const expired = await vendor.issueToken('bob', 'https://gateway.test', { ttlSeconds: -60 });
    const refused = await exchangeToken({ ...as, subjectToken: expired });
    expect(refused).toMatchObject({ status: 'refused', error: 'invalid_grant' });
    expect(JSON.stringify(refused)).not.toContain(expired.slice(0, 20));
  });
});

/** What comes of a refresh at a token endpoint that answers so. */
async function refreshAt(route: Route, as = client): Promise<TokenOutcome> {
  const vendor = await vendorOf({ '/token': route });
  return refreshTokens({
    server: serverAt(vendor.origin),
    client: as,
    fetch: developerFetch(),
    resource,
    refreshToken: 'the-refresh-token-itself',
    now: () => 1_000,
  });
}

const token = { access_token: 'a', token_type: 'bearer' };

describe('an answer of a token endpoint', () => {
  it.each<[string, object, Partial<Tokens>]>([
    [
      'with everything',
      { ...token, refresh_token: 'r', expires_in: 60, scope: 'x y' },
      { refreshToken: 'r', expiresAt: 61_000, scopes: ['x', 'y'] },
    ],
    [
      'with the bare minimum',
      { access_token: 'a' },
      { refreshToken: 'the-refresh-token-itself', expiresAt: null, scopes: null },
    ],
    ['with a number as text', { ...token, expires_in: '60' }, { expiresAt: 61_000 }],
    ['with an expiry that is none', { ...token, expires_in: 'soon' }, { expiresAt: null }],
  ])('is read %s', async (_name, body, expected) => {
    expect(await refreshAt(json(body))).toMatchObject({
      status: 'ok',
      tokens: { accessToken: 'a', ...expected },
    });
  });

  it.each<[string, Route, string]>([
    ['invalid_grant', json({ error: 'invalid_grant' }, 400), 'invalid_grant'],
    ['invalid_client', json({ error: 'invalid_client' }, 401), 'invalid_client'],
    ['a bare 401', status(401), 'invalid_client'],
    ['invalid_scope', json({ error: 'invalid_scope' }, 400), 'invalid_scope'],
    ['unauthorized_client', json({ error: 'unauthorized_client' }, 400), 'unauthorized_client'],
    ['an error of its own', json({ error: 'quota' }, 400), 'other'],
    ['a bare 400', status(400), 'other'],
    ['an error with status 200', json({ error: 'bad_refresh_token' }), 'invalid_grant'],
    ['a token that is bound to a key', json({ ...token, token_type: 'DPoP' }), 'other'],
  ])('is refused: %s', async (_name, route, error) => {
    expect(await refreshAt(route)).toMatchObject({ status: 'refused', error });
  });

  it.each<[string, Route, string]>([
    ['500', json({ error: 'invalid_grant' }, 500), 'http_500'],
    ['502 of a proxy', status(502, {}, '<html>'), 'http_502'],
    ['429', json({ error: 'invalid_grant' }, 429), 'http_429'],
    ['408', status(408), 'http_408'],
    ['temporarily_unavailable', json({ error: 'temporarily_unavailable' }, 400), 'http_400'],
    ['a page', status(200, {}, '<html>'), 'answer_invalid'],
    ['a token that is none', json({ access_token: 'a b' }), 'answer_invalid'],
    ['a lost connection', hangUp, 'connection_lost'],
    ['a redirect', status(307, { location: '/elsewhere' }), 'redirect_refused'],
    ['2 MB', status(200, {}, ' '.repeat(2_000_000)), 'result_too_large'],
  ])('says nothing of the credential: %s', async (_name, route, reason) => {
    expect(await refreshAt(route)).toMatchObject({ status: 'unavailable', reason });
  });

  it('says when to come back', async () => {
    expect(await refreshAt(status(503, { 'retry-after': '9' }))).toMatchObject({ retryAfterMs: 9_000 });
  });

  it('that repeats what it was sent is not repeated', async () => {
    const route: Route = (req, res, body) =>
      json(
        { error: 'invalid_grant', error_description: `${body} ${req.headers.authorization}\u0007\r\n` },
        400,
      )(req, res, '');
    for (const authMethod of ['client_secret_basic', 'client_secret_post'] as const) {
      const text = JSON.stringify(
        await refreshAt(route, { ...client, authMethod, clientSecret: 'short-one' }),
      );
      expect(text).not.toMatch(/the-refresh-token|short-one|c2hvcnQ|\\u0007|\\r/);
    }
  });
});

describe('a token request', () => {
  it('keeps secret and refresh token from the origin that a redirect names', async () => {
    const elsewhere = await vendorOf({ '/token': json(token) });
    for (const code of [301, 302, 303, 307, 308]) {
      const outcome = await refreshAt(status(code, { location: `${elsewhere.origin}/token` }));
      expect(outcome).toMatchObject({ status: 'unavailable', reason: 'redirect_refused' });
    }
    expect(elsewhere.requests).toEqual([]);
  });

  it('never leaves for an address that the policy denies', async () => {
    const vendor = await vendorOf({ '/token': json(token) });
    const fetch = developerFetch(false);
    const outcome = await requestClientCredentials({
      server: serverAt(vendor.origin),
      client,
      fetch,
      resource,
    });
    expect(outcome).toMatchObject({ status: 'unavailable', reason: 'egress_denied' });
    expect(vendor.requests).toEqual([]);
  });

  it('authenticates as servers expect that do not decode, too', async () => {
    let sent = '';
    await refreshAt(
      (req, res, body) => {
        sent = Buffer.from(req.headers.authorization?.slice(6) ?? '', 'base64').toString();
        return json(token)(req, res, body);
      },
      { clientId: 'a-b_c.d~e', clientSecret: 'x-y', authMethod: 'client_secret_basic' },
    );
    expect(sent).toBe('a-b_c.d~e:x-y');
  });

  it('of a public client shows no secret', async () => {
    let sent = '';
    await refreshAt(
      (req, res, body) => {
        sent = `${req.headers.authorization} ${body}`;
        return json(token)(req, res, body);
      },
      { clientId: 'c', clientSecret: null, authMethod: 'none' },
    );
    expect(sent).toBe(
      `undefined refresh_token=the-refresh-token-itself&resource=${encodeURIComponent(resource)}&grant_type=refresh_token&client_id=c`,
    );
  });

  it('of a revocation without endpoint says so', async () => {
    const server = serverAt('https://vendor.test', { revocationEndpoint: null });
    const outcome = await revokeToken({ server, client, fetch, token: 't', tokenType: 'access_token' });
    expect(outcome).toMatchObject({ status: 'refused', error: 'other' });
  });
});
