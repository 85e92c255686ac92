import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { serverAt } from '../../test/vendors.js';
import { checkAuthorizationResponse, ConsentError } from './check-authorization-response.js';
import { chooseScopes } from './choose-scopes.js';
import { configuredClient } from './oauth-client.js';
import { chooseRegistration } from './register-client.js';
import { startConsent } from './start-consent.js';

const issuer = 'https://vendor.test';
const redirectUri = 'https://gateway.test/oauth/callback';
const server = serverAt(issuer);
const request = {
  server,
  client: { clientId: 'c' },
  redirectUri,
  state: 's',
  scopes: ['a', 'b'],
  resource: 'https://mcp.vendor.test',
};

describe('startConsent', () => {
  it('asks with PKCE, resource, state and the exact redirect URI', async () => {
    const { url, codeVerifier } = await startConsent(request);
    const { origin, pathname, searchParams } = new URL(url);
    expect(origin + pathname).toBe('https://vendor.test/authorize');
    expect(Object.fromEntries(searchParams)).toEqual({
      response_type: 'code',
      client_id: 'c',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      redirect_uri: redirectUri,
      state: 's',
      scope: 'a b',
      resource: 'https://mcp.vendor.test',
    });
    expect(codeVerifier).toMatch(/^[\w.~-]{43,128}$/);
    expect(url).not.toContain(codeVerifier);
  });

  it('never takes one verifier twice, nor parameters that the endpoint brings', async () => {
    const at = serverAt(issuer, {
      authorizationEndpoint: `${issuer}/authorize?tenant=1&client_id=evil&state=evil`,
    });
    const [one, two] = [await startConsent({ ...request, server: at }), await startConsent(request)];
    expect(one.codeVerifier).not.toBe(two.codeVerifier);
    const { searchParams } = new URL(one.url);
    expect([searchParams.getAll('client_id'), searchParams.getAll('state')]).toEqual([['c'], ['s']]);
    expect(searchParams.get('tenant')).toBe('1');
  });

  it('leaves the scope to the server where there is none to name', async () => {
    const { url } = await startConsent({ ...request, scopes: null });
    expect(new URL(url).searchParams.has('scope')).toBe(false);
  });

  it.each([
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:text/html,x',
    'http://vendor.test/authorize',
    'https://a:b@vendor.test/authorize',
    'https://vendor.test/authorize\r\nlocation: https://evil.test',
    'https://vendor.test/$(id)`id` ;x',
    'vbscript:x',
    '//vendor.test/authorize',
    '',
  ])('sends nobody to %j', async (authorizationEndpoint) => {
    const work = startConsent({ ...request, server: serverAt(issuer, { authorizationEndpoint }) });
    await expect(work).rejects.toMatchObject({
      code: 'upstream_protocol_error',
      details: { reason: 'url_refused' },
    });
  });

  it.each([
    [{ codeChallengeMethodsSupported: null }, 'pkce_unsupported'],
    [{ codeChallengeMethodsSupported: ['plain'] }, 'pkce_unsupported'],
    [{ metadata: { response_types_supported: ['token'] } }, 'response_type_unsupported'],
  ])('refuses a server with %j', async (more, reason) => {
    const work = startConsent({ ...request, server: serverAt(issuer, more) });
    await expect(work).rejects.toMatchObject({ details: { reason } });
    await expect(work).rejects.toBeInstanceOf(PlatformError);
  });
});

/** What is made of a callback. */
function checked(query: string, more: object = {}): string {
  const params = new URLSearchParams(query);
  try {
    return checkAuthorizationResponse({ server, expectedIssuer: issuer, params, redirectUri, ...more }).code;
  } catch (thrown) {
    if (!(thrown instanceof ConsentError)) throw thrown;
    return `${thrown.reason}: ${thrown.description}`;
  }
}

const strict = { server: serverAt(issuer, { requiresIssuerParameter: true }) };

describe('checkAuthorizationResponse', () => {
  it.each([
    ['code=x&state=s', {}, 'x'],
    ['code=x&state=s&iss=https://vendor.test', strict, 'x'],
  ])('takes the code of %s', (query, more, expected) => {
    expect(checked(query, more)).toBe(expected);
  });

  it.each<[string, string, object]>([
    ['another issuer', 'code=x&iss=https://evil.test', {}],
    ['almost the issuer', 'code=x&iss=https://vendor.test/', {}],
    ['no issuer where one is promised', 'code=x', strict],
    ['an error of another issuer', 'error=access_denied&error_description=call+us&iss=https://evil.test', {}],
    ['another server than was asked', 'code=x', { expectedIssuer: 'https://before.test' }],
  ])('refuses %s, and says nothing of it', (_name, query, more) => {
    expect(checked(query, more)).toBe('issuer_mismatch: null');
  });

  it.each([
    ['a denial', 'error=access_denied', 'denied: access_denied'],
    [
      'an error',
      'error=invalid_scope&error_description=no+such+scope',
      'vendor_error: invalid_scope: no such scope',
    ],
    ['an error with markup', 'error=x&error_description=%0d%0a%00a%E2%80%AEb', 'vendor_error: x: a b'],
    ['an error beside a code', 'error=server_error&code=x', 'vendor_error: server_error'],
    ['nothing', '', 'malformed: null'],
    ['two codes', 'code=x&code=y', 'malformed: null'],
    ['two issuers', 'code=x&iss=https://vendor.test&iss=https://evil.test', 'malformed: null'],
  ])('tells %s', (_name, query, expected) => {
    expect(checked(query)).toBe(expected);
  });

  it('wants back what stands in the redirect URI', () => {
    const more = { redirectUri: `${redirectUri}?tenant=1` };
    expect(checked('code=x&tenant=1', more)).toBe('x');
    expect(checked('code=x&tenant=2', more)).toBe('malformed: null');
  });
});

describe('chooseScopes', () => {
  const vendor = (more: object = {}, of: object = {}) => ({
    resource: 'r',
    challengedScopes: null,
    scopesSupported: null,
    server: serverAt(issuer, of),
    ...more,
  });
  const all = { challengedScopes: ['challenged'], scopesSupported: ['supported'] };
  const offline = { scopesSupported: ['offline_access'] };

  it.each<[string, object, object, object, string[] | null]>([
    ['what the admin set', all, offline, { scopes: ['set'] }, ['set']],
    ['what the challenge asks for', all, {}, {}, ['challenged']],
    ['what the resource supports', { ...all, challengedScopes: null }, {}, {}, ['supported']],
    ['nothing at all', {}, offline, {}, null],
    ['offline_access where the server lists it', all, offline, {}, ['challenged', 'offline_access']],
  ])('takes %s', (_name, more, of, settings, expected) => {
    expect(chooseScopes(vendor(more, of), settings)).toEqual(expected);
  });

  it('adds to what was granted', () => {
    const stepUp = { granted: ['a', 'b'], needed: ['b', 'c'] };
    expect(chooseScopes(vendor(all), {}, stepUp)).toEqual(['a', 'b', 'c']);
    expect(chooseScopes(vendor(all), { scopes: ['set'] }, { granted: null, needed: ['c'] })).toEqual([
      'set',
      'c',
    ]);
  });
});

describe('chooseRegistration', () => {
  const document = 'https://gateway.test/oauth/client-metadata.json';
  const knows = serverAt(issuer, { supportsMetadataDocument: true });

  it.each([
    ['configured', knows, { client_id: 'x' }, document],
    ['metadata_document', knows, {}, document],
    ['dynamic', knows, {}, 'http://localhost:8080/oauth/client-metadata.json'],
    ['dynamic', server, {}, document],
    [null, serverAt(issuer, { registrationEndpoint: null }), {}, document],
  ])('is %s', (expected, of, settings, url) => {
    expect(chooseRegistration(of, settings, url)).toBe(expected);
  });
});

describe('configuredClient', () => {
  it.each([
    [{}, 'secret', 'client_secret_basic'],
    [{}, null, 'none'],
    [{ token_endpoint_auth_method: 'client_secret_post' as const }, 'secret', 'client_secret_post'],
  ])('with %j and the secret %s authenticates by %s', (settings, secret, authMethod) => {
    expect(configuredClient(server, { client_id: 'x', ...settings }, secret)).toEqual({
      clientId: 'x',
      clientSecret: secret,
      authMethod,
    });
  });
});
