import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { topics } from '@switchyard/contracts';
import { HttpsSite } from '@switchyard/testing';
import { until } from '../gateway-client-spec.js';
import type { TestGateway } from '../gateway-harness-spec.js';
import { OAuthHousekeeping } from './housekeeping.service.js';
import { SigningKeys } from './keys/signing-keys.service.js';
import {
  answer,
  authorizePath,
  begin,
  connect,
  listTools,
  OAuthHarness,
  pkce,
  redeem,
  redirectUri,
  refresh,
  register,
  type TestUser,
  type Tokens,
} from './oauth-harness-spec.js';

let harness: OAuthHarness;
let gateway: TestGateway;
let second: TestGateway;
let providerId: string;
let bob: TestUser;
let site: HttpsSite;
const usual = getCACertificates('default');

beforeAll(async () => {
  site = await HttpsSite.start();
  setDefaultCACertificates([...usual, readFileSync(site.caFile, 'utf8')]);
  harness = await OAuthHarness.open();
  await harness.gateways.addIntegration('up', [{ name: 'echo' }]);
  await harness.addPolicy(['up']);
  providerId = await harness.addProvider();
  bob = await harness.addUser('bob', providerId);
  gateway = await harness.gateways.startGateway();
  second = await harness.gateways.startGateway({ GATEWAY_PUBLIC_URL: gateway.url });
}, 120_000);
afterAll(async () => {
  setDefaultCACertificates(usual);
  await harness.close();
  await site.close();
});

/** A client that is known by its document alone. */
function publish(path: string): string {
  const clientId = site.urlOf(path);
  const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };
  site.documents.set(path, { client_id: clientId, client_name: 'Documented', ...metadata });
  return clientId;
}

async function namesOf({ access_token }: Tokens): Promise<string[]> {
  const { body } = await listTools(gateway.mcpUrl, access_token);
  return body.result.tools.map(({ name }: { name: string }) => name);
}

describe('a client that is known by its document', () => {
  it('is let in though each step is served by another replica', async () => {
    const clientId = publish('/client.json');
    const { verifier, challenge } = pkce();
    const there = harness.signIn(gateway, bob);
    const page = await begin(there, { clientId, challenge });
    const here = there.at(second);
    expect(await (await here.get(page)).text()).toContain('vouches for it');
    const code = (await answer(here, page)).searchParams.get('code') ?? '';
    expect((await redeem(gateway, { clientId, code, verifier })).status).toBe(200);
  });

  it('is shown to nobody by a replica that cannot read the document', async () => {
    const clientId = publish('/gone.json');
    const there = harness.signIn(gateway, bob);
    const response = await there.get(authorizePath(gateway, { clientId, challenge: pkce().challenge }));
    site.documents.delete('/gone.json');
    const shown = await there.at(second).get(response.headers.get('location') ?? '');
    expect(shown.status).toBe(502);
    expect(shown.headers.get('content-type')).toContain('text/html');
    expect(await shown.text()).toContain('Who asks cannot be shown now');
  });
});

describe('an authorization request', () => {
  it.each([
    ['an error', { response_type: 'nope' }],
    ['a silent request', { prompt: 'none' }],
    ['an error in a fragment', { prompt: 'none', response_mode: 'fragment' }],
  ])('sends nobody to another site before they have seen who asks: %s is shown', async (_name, more) => {
    const uri = 'https://evil.test/phish';
    const clientId = (await register(gateway, { redirect_uris: [uri] })).body.client_id;
    const ask = { clientId, challenge: pkce().challenge, redirectUri: uri, more };
    const response = await harness.anonymous(gateway).get(authorizePath(gateway, ask));
    expect([response.status, response.headers.get('location')]).toEqual([400, null]);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await response.text()).toContain('Go back to evil.test');
  });

  it.each(['form_post', 'web_message', 'jwt'])(
    'for an answer by %s is refused by a redirect',
    async (mode) => {
      const clientId = (await register(gateway)).body.client_id;
      const ask = { clientId, challenge: pkce().challenge, more: { response_mode: mode } };
      const response = await harness.anonymous(gateway).get(authorizePath(gateway, ask));
      const location = new URL(response.headers.get('location') ?? '');
      expect(location.searchParams.get('error')).toMatch(/^(unsupported_response_mode|invalid_request)$/);
    },
  );
});

describe('what a user allowed', () => {
  it('ends when the identity provider is made another issuer, which may call somebody else by the same subject', async () => {
    const moved = await harness.addProvider();
    const mel = await harness.addUser('mel', moved);
    // The gateways hear of the provider in a moment.
    let tokens!: Awaited<ReturnType<typeof connect>>;
    await until(async () => void (tokens = await connect(harness.signIn(gateway, mel))));
    const statuses = () =>
      Promise.all(
        [gateway, second].map(async (one) => (await listTools(one.mcpUrl, tokens.access_token)).status),
      );
    await until(async () => expect(await statuses()).toEqual([200, 200]));
    await harness.gateways.sql.query(
      `UPDATE registry.identity_providers SET issuer = 'https://new-idp.test' WHERE id = $1`,
      [moved],
    );
    await harness.gateways.registryChanged(moved);
    await until(async () => expect(await statuses()).toEqual([401, 401]));
    expect((await refresh(gateway, tokens)).body.error).toBe('invalid_grant');
  });

  it('is denied by the issuer of the user’s claims, as at every other door', async () => {
    await harness.gateways.addIntegration('vault', [{ name: 'open' }]);
    await harness.addPolicy(['vault']);
    const tokens = await connect(harness.signIn(gateway, bob));
    await until(async () => expect(await namesOf(tokens)).toContain('vault_open'));
    const id = randomUUID();
    await harness.gateways.sql.query(
      `INSERT INTO registry.policies (id, organization_id, name, roles, mcp_configs, matchers, effect, priority)
       VALUES ($1, $2, 'not from there', NULL, $3, $4, 'deny', 10)`,
      [
        ...[id, bob.orgId, JSON.stringify([{ mcp_client_name: 'vault', tools_to_execute: ['*'] }])],
        JSON.stringify([{ path: 'iss', operator: 'EQUALS', value: 'https://idp.test' }]),
      ],
    );
    await harness.gateways.registryChanged(id);
    await until(async () => expect(await namesOf(tokens)).toEqual(['up_echo']));
  });

  it('follows the user’s roles as soon as they change', async () => {
    await harness.gateways.addIntegration('oven', [{ name: 'heat' }]);
    await harness.addPolicy(['oven'], { roles: ['baker'] });
    const nina = await harness.addUser('nina', providerId, { roles: ['baker'] });
    const tokens = await connect(harness.signIn(gateway, nina));
    await until(async () => expect(await namesOf(tokens)).toContain('oven_heat'));
    await harness.gateways.sql.query(`UPDATE registry.users SET roles = '{}' WHERE id = $1`, [nina.id]);
    await harness.gateways.queue.publish(topics.registryChanged, {
      ...{ entity: 'user', change: 'updated', orgId: nina.orgId, id: nina.id },
    });
    await until(async () => expect(await namesOf(tokens)).not.toContain('oven_heat'));
  });

  it('is asked for though there is nothing to share yet, and all is not taken for granted', async () => {
    const orgId = await harness.gateways.addOrganization('empty');
    const ola = await harness.addUser('ola', await harness.addProvider(orgId), { orgId });
    const browser = harness.signIn(gateway, ola);
    const { body } = await register(gateway);
    const page = await begin(browser, { clientId: body.client_id, challenge: pkce().challenge });
    const html = await (await browser.get(page)).text();
    expect(html).toContain('There is nothing here yet');
    expect(html).toContain('All that I may use, now and later');
  });

  it('is on pages, the newest first', async () => {
    const paul = await harness.addUser('paul', providerId);
    const browser = harness.signIn(gateway, paul);
    await connect(browser);
    await harness.gateways.sql.query(
      `INSERT INTO gateway.oauth_grants (id, interaction_hash, organization_id, user_id, identity_provider_id, client_id,
         client_name, redirect_uri, resource, claims_ciphertext, expires_at)
       SELECT ('01900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, sha256(n::text::bytea), organization_id, user_id,
         identity_provider_id, client_id, 'Old ' || n, redirect_uri, resource, claims_ciphertext, expires_at
       FROM gateway.oauth_grants, generate_series(1, 60) n WHERE user_id = $1`,
      [paul.id],
    );
    const first = await (await browser.get('/oauth2/grants')).text();
    expect(first.indexOf('Test client')).toBeGreaterThan(0);
    expect(first.indexOf('Test client')).toBeLessThan(first.indexOf('Old 60'));
    const more = /href="(\/oauth2\/grants\?after=[^"]+)"/.exec(first)?.[1] ?? '';
    const rest = await (await browser.get(more)).text();
    expect([rest.includes('Old 1<'), rest.includes('Test client'), rest.includes('Older ones')]).toEqual([
      ...[true, false, false],
    ]);
    const api = await browser.get('/api/oauth/grants');
    expect(((await api.json()) as { items: unknown[] }).items).toHaveLength(50);
  });
});

// Last: whoever had the old seal key may have the private half of the key that it sealed.
describe('a signing key from before the seal key was changed', () => {
  it('verifies until its last token is over, and is deleted then', async () => {
    const kidsOf = async ({ url }: TestGateway) => {
      const { keys } = (await (await fetch(`${url}/oauth2/jwks`)).json()) as { keys: { kid: string }[] };
      return keys.map(({ kid }) => kid);
    };
    const changed = {
      SWITCHYARD_SEAL_KEY: 'the-new-seal-key-after-a-leak-32-chars',
      GATEWAY_PUBLIC_URL: gateway.url,
    };
    const [old = ''] = await kidsOf(gateway);
    const rekeyed = await harness.gateways.startGateway(changed);
    expect(await kidsOf(rekeyed)).not.toContain(old);
    expect(await rekeyed.service.app.get(SigningKeys).publicKey(old)).toBeDefined();
    await harness.gateways.sql.query(
      `UPDATE gateway.oauth_keys SET retired_at = now() - interval '11 minutes' WHERE NOT is_active`,
    );
    const later = await harness.gateways.startGateway(changed);
    expect(await kidsOf(later)).toEqual(await kidsOf(rekeyed));
    expect(await later.service.app.get(SigningKeys).publicKey(old)).toBeUndefined();
    await later.service.app.get(OAuthHousekeeping).clean();
    const rows = await harness.gateways.sql.query<{ kid: string }>(`SELECT kid FROM gateway.oauth_keys`);
    expect(rows.map(({ kid }) => kid)).toEqual(await kidsOf(rekeyed));
  });
});
