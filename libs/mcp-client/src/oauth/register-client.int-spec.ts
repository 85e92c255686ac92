import { describe, expect, it } from '@jest/globals';
import { developerFetch, hangUp, json, type Route, serverAt, status, vendorOf } from '../../test/vendors.js';
import { registerClient } from './register-client.js';

const redirectUri = 'https://gateway.test/oauth/callback';

/** Registers at an endpoint that answers so; what it was sent is in `sent`. */
async function register(route: Route, methods = ['client_secret_basic'], uri = redirectUri) {
  let sent: Record<string, unknown> = {};
  const vendor = await vendorOf({
    '/register': (req, res, body) => {
      sent = JSON.parse(body) as typeof sent;
      return route(req, res, body);
    },
  });
  const server = serverAt(vendor.origin, { tokenEndpointAuthMethods: methods });
  const work = registerClient({
    server,
    fetch: developerFetch(),
    redirectUri: uri,
    clientName: 'Switchyard',
    clientUri: 'https://gateway.test',
    scope: 'a b',
  });
  return { client: await work, sent };
}

const made = (more: object = {}) => json({ client_id: 'c', redirect_uris: [redirectUri], ...more }, 201);

describe('registerClient', () => {
  it('says who we are and what we need', async () => {
    const { sent } = await register(made());
    expect(sent).toEqual({
      client_name: 'Switchyard',
      client_uri: 'https://gateway.test',
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      application_type: 'web',
      scope: 'a b',
    });
    const local = await register(made(), ['none'], 'http://localhost:8080/oauth/callback');
    expect(local.sent).toMatchObject({ application_type: 'native', token_endpoint_auth_method: 'none' });
  });

  it('keeps how it was registered, and when the secret ends', async () => {
    const { client } = await register(
      made({
        client_secret: 's',
        client_secret_expires_at: 2_000_000_000,
        token_endpoint_auth_method: 'client_secret_post',
      }),
      ['client_secret_basic', 'client_secret_post'],
    );
    expect(client).toEqual({
      clientId: 'c',
      clientSecret: 's',
      authMethod: 'client_secret_post',
      secretExpiresAt: 2_000_000_000_000,
    });
  });

  it('takes a public client that was asked to be none', async () => {
    const { client } = await register(made({ client_secret_expires_at: 0 }));
    expect(client).toMatchObject({ clientSecret: null, authMethod: 'none', secretExpiresAt: null });
  });

  it.each<[string, Route, object]>([
    [
      'a refusal',
      json({ error: 'invalid_redirect_uri' }, 400),
      { details: { reason: 'registration_refused' } },
    ],
    ['a forbidden one', status(403), { details: { reason: 'registration_refused' } }],
    ['an answer without client', json({}, 201), { details: { reason: 'metadata_invalid' } }],
    ['a vendor that is down', status(503), { code: 'authorization_server_unavailable' }],
    ['a lost connection', hangUp, { code: 'authorization_server_unavailable' }],
  ])('tells %s', async (_name, route, expected) => {
    await expect(register(route)).rejects.toMatchObject(expected);
  });

  it('does not follow a redirect to another origin', async () => {
    const elsewhere = await vendorOf({ '/register': made() });
    await expect(register(status(307, { location: `${elsewhere.origin}/register` }))).rejects.toThrow();
    expect(elsewhere.requests).toEqual([]);
  });

  it('refuses a server that wants what we do not have', async () => {
    await expect(register(made(), ['private_key_jwt'])).rejects.toMatchObject({
      details: { reason: 'auth_method_unsupported' },
    });
  });
});
