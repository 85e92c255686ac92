import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HttpsSite } from '@switchyard/testing';
import type { TestGateway } from '../gateway-harness-spec.js';
import { OAuthHousekeeping } from './housekeeping.service.js';
import { SigningKeys } from './keys/signing-keys.service.js';
import {
  answer,
  authorizePath,
  begin,
  OAuthHarness,
  pkce,
  redeem,
  redirectUri,
  type TestUser,
} from './oauth-harness-spec.js';

let harness: OAuthHarness;
let gateway: TestGateway;
let second: TestGateway;
let bob: TestUser;
let site: HttpsSite;
const usual = getCACertificates('default');

beforeAll(async () => {
  site = await HttpsSite.start();
  setDefaultCACertificates([...usual, readFileSync(site.caFile, 'utf8')]);
  harness = await OAuthHarness.open();
  await harness.gateways.addIntegration('up', [{ name: 'echo' }]);
  await harness.addPolicy(['up']);
  bob = await harness.addUser('bob', await harness.addProvider());
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
