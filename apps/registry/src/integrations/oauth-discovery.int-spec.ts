import { beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID, PlatformError } from '@switchyard/contracts';
import { httpTransport, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
let slug = '';
beforeEach(() => {
  slug = `found-${++count}`;
});

const server = 'https://93.184.216.34/issuer';
const create = (fields: Record<string, unknown>) =>
  registry().post('/api/integrations', { slug, transport: httpTransport, ...fields });

describe('discovery', () => {
  const discover = (body: unknown, key?: string) => registry().post('/api/integrations/discover', body, key);
  const url = 'https://93.184.216.34/mcp';

  it('fills the form of a registration', async () => {
    registry().owners.discovery = {
      status: 'found',
      oauth: { authorization_server: server, scopes: ['read'], resource: url },
      scopesSupported: ['read', 'write'],
      grantTypesSupported: ['authorization_code', 'refresh_token'],
      registration: ['dynamic', 'configured'],
    };
    const { status, body } = await discover({ url });
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        status: 'found',
        auth_mode: 'authorization_code',
        oauth: { authorization_server: server, scopes: ['read'], resource: url },
        scopes_supported: ['read', 'write'],
        grant_types_supported: ['authorization_code', 'refresh_token'],
        registration: ['dynamic', 'configured'],
      },
    });
    expect(registry().owners.discoveries.at(-1)).toEqual({ v: 1, orgId: DEFAULT_ORGANIZATION_ID, url });
    const { auth_mode, oauth } = body;
    expect((await create({ auth_mode, oauth })).status).toBe(201);
  });

  it('says that a server is open, and is asked for the caller’s organization', async () => {
    registry().owners.discovery = { status: 'open' };
    const { id, key } = await registry().organization(`org-${slug}`);
    expect((await discover({ url }, key)).body).toMatchObject({
      status: 'open',
      auth_mode: 'none',
      oauth: null,
    });
    expect(registry().owners.discoveries.at(-1)?.orgId).toBe(id);
  });

  it('suggests the grant of machines where there is no other', async () => {
    registry().owners.discovery = {
      status: 'found',
      oauth: { authorization_server: server },
      scopesSupported: [],
      grantTypesSupported: ['client_credentials'],
      registration: ['configured'],
    };
    expect((await discover({ url })).body.auth_mode).toBe('client_credentials');
  });

  it('that the broker refuses is a problem document', async () => {
    for (const code of [
      'authorization_server_unavailable',
      'egress_denied',
      'upstream_protocol_error',
    ] as const) {
      registry().owners.discovery = { status: 'refused', error: new PlatformError(code).toInfo() };
      expect((await discover({ url })).body.code).toBe(code);
    }
  });

  it.each<[unknown, number, string]>([
    [{}, 400, 'invalid_request'],
    [{ url: 'not a url' }, 400, 'invalid_request'],
    [{ url: 'file:///etc/passwd' }, 400, 'invalid_request'],
    [{ url, slug: 'x' }, 400, 'invalid_request'],
    [{ url: 'https://127.0.0.1/mcp' }, 403, 'egress_denied'],
    [{ url: 'http://93.184.216.34/mcp' }, 403, 'egress_denied'],
  ])('of %j is refused', async (body, status, code) => {
    const before = registry().owners.discoveries.length;
    expect(await discover(body)).toMatchObject({ status, body: { code } });
    expect(registry().owners.discoveries).toHaveLength(before);
  });
});
