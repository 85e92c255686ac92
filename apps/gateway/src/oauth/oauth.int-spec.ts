import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { until } from '../gateway-client-spec.js';
import type { TestGateway } from '../gateway-harness-spec.js';
import {
  answer,
  begin,
  connect,
  listTools,
  OAuthHarness,
  pkce,
  refresh,
  register,
  type TestUser,
} from './oauth-harness-spec.js';

let harness: OAuthHarness;
let gateway: TestGateway;
let second: TestGateway;
let bob: TestUser;

beforeAll(async () => {
  harness = await OAuthHarness.open();
  await harness.gateways.addIntegration('up', [{ name: 'echo' }]);
  await harness.gateways.addIntegration('notes', [{ name: 'add' }]);
  await harness.addPolicy(['up', 'notes']);
  bob = await harness.addUser('bob', await harness.addProvider());
  gateway = await harness.gateways.startGateway();
  second = await harness.gateways.startGateway({ SWITCHYARD_PUBLIC_URL: gateway.url });
}, 120_000);
afterAll(() => harness.close());

describe('an MCP client', () => {
  it('finds the authorization server from nothing but the URL', async () => {
    const document = await (await fetch(`${gateway.url}/.well-known/oauth-protected-resource`)).json();
    expect(document).toMatchObject({ resource: gateway.mcpUrl, authorization_servers: [gateway.url] });
    for (const name of ['oauth-authorization-server', 'openid-configuration']) {
      const metadata = await (await fetch(`${gateway.url}/.well-known/${name}`)).json();
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
        scopes_supported: ['mcp'],
      });
    }
  });

  it('gets a token for this resource alone, by which it has the user’s tools', async () => {
    const tokens = await connect(harness.signIn(gateway, bob));
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'mcp' });
    expect(decodeProtectedHeader(tokens.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'RS256' });
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      ...{ iss: gateway.url, aud: gateway.mcpUrl, sub: bob.id, client_id: tokens.clientId },
      org_id: bob.orgId,
    });
    const { status, body } = await listTools(gateway.mcpUrl, tokens.access_token);
    expect(status).toBe(200);
    expect(body.result.tools.map(({ name }: { name: string }) => name)).toEqual(['notes_add', 'up_echo']);
    const refreshed = await refresh(gateway, tokens);
    expect(refreshed.body).toMatchObject({ expires_in: 600 });
    expect(refreshed.body.refresh_token).not.toBe(tokens.refresh_token);
  });
});
