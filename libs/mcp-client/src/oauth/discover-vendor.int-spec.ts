import { describe, expect, it } from '@jest/globals';
import { PlatformError, type OAuthSettings } from '@switchyard/contracts';
import { startAuthorizationServer, startProtectedUpstream } from '@switchyard/testing';
import { closing, upstreamOf } from '../../test/sessions.js';
import {
  developerFetch,
  hangUp,
  json,
  metadataAt,
  status,
  type Vendor,
  vendorOf,
} from '../../test/vendors.js';
import { discoverVendor, type DiscoveredVendor, type DiscoverVendorInput } from './discover-vendor.js';

const PRM = '/.well-known/oauth-protected-resource';
const AS = '/.well-known/oauth-authorization-server';

function discover(url: string, more: Partial<DiscoverVendorInput> = {}) {
  return discoverVendor({ url, fetch: developerFetch(), settings: {}, boundIssuer: null, ...more });
}

async function found(url: string, more: Partial<DiscoverVendorInput> = {}): Promise<DiscoveredVendor> {
  const answer = await discover(url, more);
  if ('open' in answer) throw new Error('it is open');
  return answer;
}

/** The code and the reason with which a discovery is refused. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    (value) => new Error(`it succeeded: ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PlatformError)) throw error;
  return `${error.code} ${String(error.details?.['reason'] ?? '')}`.trim();
}

/** An MCP server that asks for a token, with metadata of its own and those of its authorization server. */
async function vendor(of: { resource?: object; server?: object; challenge?: string } = {}): Promise<Vendor> {
  const it = await vendorOf();
  const challenge = of.challenge ?? 'Bearer';
  Object.assign(it.routes, {
    '/mcp': status(401, { 'www-authenticate': challenge }),
    [`${PRM}/mcp`]: json({
      resource: `${it.origin}/mcp`,
      authorization_servers: [it.origin],
      ...of.resource,
    }),
    [AS]: json(metadataAt(it.origin, of.server)),
  });
  return it;
}

describe('discoverVendor, of a real vendor', () => {
  it('finds resource, scopes and authorization server', async () => {
    const server = await startAuthorizationServer();
    const upstream = await startProtectedUpstream({ issuer: server.issuer });
    closing.push(server.close, upstream.close);
    const { resource, scopesSupported, challengedScopes, server: of } = await found(upstream.url);
    expect({ resource, scopesSupported, challengedScopes }).toEqual({
      resource: upstream.url,
      scopesSupported: ['notes:read', 'notes:write'],
      challengedScopes: ['notes:read', 'notes:write'],
    });
    expect(of).toMatchObject({
      issuer: server.issuer,
      tokenEndpoint: `${server.issuer}/token`,
      revocationEndpoint: `${server.issuer}/token/revocation`,
      registrationEndpoint: `${server.issuer}/reg`,
      codeChallengeMethodsSupported: ['S256'],
      requiresIssuerParameter: true,
    });
  });

  it.each(['both', 'legacy', 'modern'] as const)(
    'says that a server of the era %s without any is open',
    async (era) => {
      const upstream = await upstreamOf({ era });
      expect(await discover(upstream.url)).toEqual({ open: true });
      expect(upstream.sessionCount()).toBeLessThanOrEqual(1);
    },
  );
});

describe('discoverVendor', () => {
  it('takes the metadata that the challenge names, and the scopes that it asks for', async () => {
    const it = await vendor();
    it.routes['/elsewhere'] = it.routes[`${PRM}/mcp`] as never;
    delete it.routes[`${PRM}/mcp`];
    const challenge = `Bearer resource_metadata="${it.origin}/elsewhere", scope="a b"`;
    const { challengedScopes } = await found(`${it.origin}/mcp`, { challenge });
    expect(challengedScopes).toEqual(['a', 'b']);
    expect(it.requests).not.toContain('POST /mcp');
  });

  it.each([
    ['at the path', `${PRM}/mcp`, AS],
    ['at the root', PRM, AS],
    ['by OpenID Connect', PRM, '/.well-known/openid-configuration'],
  ])('finds metadata %s', async (_where, resourcePath, serverPath) => {
    const it = await vendor();
    const [resource, server] = [it.routes[`${PRM}/mcp`], json(metadataAt(it.origin, openId(it)))];
    delete it.routes[`${PRM}/mcp`];
    delete it.routes[AS];
    Object.assign(it.routes, { [resourcePath]: resource, [serverPath]: server });
    expect((await found(`${it.origin}/mcp`)).server.issuer).toBe(it.origin);
  });

  it('asks the origin of a server without resource metadata', async () => {
    const it = await vendor();
    delete it.routes[`${PRM}/mcp`];
    expect(await found(`${it.origin}/mcp`)).toMatchObject({
      resource: `${it.origin}/mcp`,
      scopesSupported: null,
    });
  });

  it('lets the admin’s word win over what the server says', async () => {
    const [it, other] = [await vendor(), await vendor()];
    const settings: OAuthSettings = {
      authorization_server: other.origin,
      resource: 'https://api.vendor.test',
      token_endpoint: `${other.origin}/special-token`,
    };
    const { resource, server } = await found(`${it.origin}/mcp`, { settings });
    expect([resource, server.issuer, server.tokenEndpoint]).toEqual([
      'https://api.vendor.test',
      other.origin,
      `${other.origin}/special-token`,
    ]);
  });

  it('needs no metadata where the admin set both endpoints', async () => {
    const it = await vendorOf({ '/mcp': status(401) });
    const settings: OAuthSettings = {
      authorization_server: 'http://127.0.0.1:1',
      authorization_endpoint: 'https://vendor.test/authorize',
      token_endpoint: 'https://vendor.test/token',
    };
    const issuer = await vendorOf();
    const { server } = await found(`${it.origin}/mcp`, {
      settings: { ...settings, authorization_server: issuer.origin },
    });
    expect(server).toMatchObject({ issuer: issuer.origin, codeChallengeMethodsSupported: ['S256'] });
  });

  it('takes the bound issuer from among several', async () => {
    const [it, second] = [await vendor(), await vendor()];
    const list = { resource: `${it.origin}/mcp`, authorization_servers: [it.origin, `${second.origin}/`] };
    it.routes[`${PRM}/mcp`] = json(list);
    const { server } = await found(`${it.origin}/mcp`, { boundIssuer: second.origin });
    expect(server.issuer).toBe(second.origin);
  });
});

const openId = ({ origin }: Vendor) => ({
  jwks_uri: `${origin}/jwks`,
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
});

describe('discoverVendor refuses', () => {
  const mcp = ({ origin }: Vendor) => `${origin}/mcp`;

  it('metadata that name another issuer than was asked', async () => {
    const it = await vendor({ server: { issuer: 'https://evil.test' } });
    expect(await refusal(discover(mcp(it)))).toBe('upstream_protocol_error metadata_issuer_mismatch');
  });

  it('a vendor that names another authorization server than credentials are bound to', async () => {
    const [it, before] = [await vendor(), await vendor()];
    const work = discover(mcp(it), { boundIssuer: before.origin });
    expect(await refusal(work)).toBe('upstream_protocol_error issuer_changed');
    expect(before.requests).toEqual([]);
  });

  it('the metadata of another resource', async () => {
    const it = await vendor({ resource: { resource: 'https://bank.test/mcp' } });
    expect(await refusal(discover(mcp(it)))).toBe('upstream_protocol_error resource_mismatch');
  });

  it.each([
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:text/html,x',
    'https://user:pass@vendor.test/token',
    'https://vendor.test/token\r\nx-evil: 1',
    'https://vendor.test/token#fragment',
    'https:vendor.test',
  ])('the endpoint %j', async (url) => {
    for (const name of [
      'authorization_endpoint',
      'token_endpoint',
      'revocation_endpoint',
      'registration_endpoint',
    ]) {
      const it = await vendor({ server: { [name]: url } });
      expect(await refusal(discover(mcp(it)))).toMatch(
        /^upstream_protocol_error (url_refused|metadata_invalid)$/,
      );
    }
  });

  it.each(['javascript:alert(1)', 'file:///etc/passwd', 'unix:/run/x'])(
    'a challenge that names %s',
    async (url) => {
      const it = await vendor();
      const challenge = `Bearer resource_metadata="${url}"`;
      expect(await refusal(discover(mcp(it), { challenge }))).toBe('upstream_protocol_error url_refused');
    },
  );

  it('metadata at a private address, where the policy allows none', async () => {
    const it = await vendor();
    const challenge = `Bearer resource_metadata="${it.origin}${PRM}/mcp"`;
    const work = discover('https://vendor.test/mcp', { challenge, fetch: developerFetch(false) });
    expect(await refusal(work)).toMatch(/^egress_denied/);
    expect(it.requests).toEqual([]);
  });

  it('metadata that redirect to another origin, which is never asked', async () => {
    const [it, inside] = [await vendor(), await vendor()];
    it.routes[`${PRM}/mcp`] = status(302, { location: `${inside.origin}${PRM}/mcp` });
    it.routes[AS] = status(307, { location: `${inside.origin}${AS}` });
    expect(await refusal(discover(mcp(it)))).toBe('upstream_protocol_error no_authorization_server');
    expect(inside.requests).toEqual([]);
  });

  it.each([
    ['of 50 MB', '[' + '" ",'.repeat(12_500_000) + '0]', 'result_too_large'],
    ['that are no JSON', '<html>', 'upstream_protocol_error metadata_invalid'],
    ['without endpoints', '{}', 'upstream_protocol_error metadata_invalid'],
  ])('metadata %s', async (_name, body, expected) => {
    for (const path of [`${PRM}/mcp`, AS]) {
      const it = await vendor();
      it.routes[path] = status(200, { 'content-type': 'application/json' }, body);
      // What is read over the limit is at most what the sockets had buffered.
      expect(await refusal(discover(mcp(it)))).toBe(expected);
    }
  });

  it('metadata that are nested without end', async () => {
    const it = await vendor();
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const text = JSON.stringify(metadataAt(it.origin, { more: 0 })).replace('"more":0', `"more":${deep}`);
    it.routes[AS] = status(200, { 'content-type': 'application/json' }, text);
    expect(await refusal(discover(mcp(it)))).toBe('upstream_protocol_error metadata_invalid');
  });

  it('a server without any authorization server', async () => {
    const it = await vendorOf({ '/mcp': status(401) });
    expect(await refusal(discover(mcp(it)))).toBe('upstream_protocol_error no_authorization_server');
  });
});

describe('discoverVendor tells a vendor that is down', () => {
  it.each(['/mcp', `${PRM}/mcp`, AS])('when %s does not answer', async (path) => {
    const it = await vendor();
    it.routes[path] = hangUp;
    expect(await refusal(discover(`${it.origin}/mcp`))).toBe(
      'authorization_server_unavailable connection_lost',
    );
  });

  it.each([`${PRM}/mcp`, AS])('when %s says so, and tries no other place', async (path) => {
    const it = await vendor();
    it.routes[path] = status(503, { 'retry-after': '7' });
    const work = discover(`${it.origin}/mcp`);
    await expect(work).rejects.toMatchObject({
      code: 'authorization_server_unavailable',
      retryAfterMs: 7_000,
    });
    expect(it.requests.at(-1)).toBe(`GET ${path}`);
  });
});
