import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queues, topics } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import { codeOf, PeopleHarness, type Person, subjectOf } from '../people-harness-spec.js';

let people: PeopleHarness;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  people = await PeopleHarness.open();
  await people.broker.startBroker();
  [alice, bob] = [await people.person('alice'), await people.person('bob')];
}, 120_000);
afterAll(() => people.close());

/** Begun and not finished: nothing of the vendor’s is there. */
const pending = { state: 'pending', access_token_ciphertext: null, refresh_token_ciphertext: null };

async function reasons(): Promise<string[]> {
  return (await people.audit('consent_refused')).map(({ details }) => details.reason);
}

describe('a consent', () => {
  it('says which service, organization and permissions, and is written down, told and followed by a sync', async () => {
    const heard: object[] = [];
    await people.broker.queue.subscribe(topics.credentialChanged, (message) => void heard.push(message));
    const integrationId = await people.insertIntegration({ name: 'Notes <script>' });
    const page = await (await bob.get(`/integrations/${integrationId}/connect`)).text();
    expect(page).toContain('Notes &lt;script&gt;');
    for (const text of ['Default', 'notes:read', 'notes:write']) expect(page).toContain(text);
    expect(await bob.connect(integrationId)).toContain('is connected');
    expect(await people.credential(integrationId)).toMatchObject({ state: 'active', user_id: bob.id });
    expect((await people.audit('consent_granted')).map((row) => row.integration_id)).toContain(integrationId);
    await eventually(() => heard.length > 0);
    expect(heard[0]).toMatchObject({ integrationId, userId: bob.id, state: 'active' });
    await eventually(async () => (await people.broker.queue.counts(queues.catalogSync)).waiting > 0);
  });

  it('gives each user their own token for the upstream’s audience', async () => {
    const integrationId = await people.insertIntegration();
    await alice.connect(integrationId);
    await bob.connect(integrationId);
    const [ofAlice, ofBob] = [
      await people.lease(integrationId, alice.id),
      await people.lease(integrationId, bob.id),
    ];
    expect([subjectOf(ofAlice), subjectOf(ofBob)]).toEqual(['alice', 'bob']);
    expect(ofAlice.answer).toMatchObject({ authPath: 'user_token' });
    expect(ofAlice.answer).not.toMatchObject({ principal: (ofBob.answer as any).principal });
  });

  it('is one row for each user of an integration, however often they connect', async () => {
    const integrationId = await people.insertIntegration();
    for (const user of [alice, bob, alice]) await user.connect(integrationId);
    const rows = await people.broker.sql.query<{ user_id: string }>(
      'SELECT user_id FROM vault.user_external_mcp_credentials WHERE integration_id = $1',
      [integrationId],
    );
    expect(rows.map((row) => row.user_id).sort()).toEqual([alice.id, bob.id].sort());
  });

  it('keeps no token, code or verifier in clear', async () => {
    const integrationId = await people.insertIntegration();
    const callback = new URL(await bob.consent(integrationId));
    await bob.browser.request(callback.href);
    const { token } = await people.lease(integrationId, bob.id);
    const dump = JSON.stringify(
      await people.broker.sql.query(
        `SELECT c::text, s::text, a::text FROM vault.user_external_mcp_credentials c, vault.consents s, broker.audit_events a
         WHERE c.integration_id = $1 AND s.integration_id = $1 AND a.integration_id = $1`,
        [integrationId],
      ),
    );
    expect(dump).not.toContain(token!.slice(-20));
    expect(dump).not.toContain(Buffer.from(token!.slice(-20)).toString('hex'));
    expect(dump).not.toContain(callback.searchParams.get('code'));
  });

  it('needs a session, and comes back after signing in', async () => {
    const integrationId = await people.insertIntegration();
    const answer = await fetch(`${people.broker.publicUrl}/integrations/${integrationId}/connect`, {
      redirect: 'manual',
    });
    const location = new URL(answer.headers.get('location') ?? '', people.broker.publicUrl);
    expect(location.pathname).toBe('/sign-in');
    expect(location.searchParams.get('return_to')).toBe(`/integrations/${integrationId}/connect`);
    expect(location.searchParams.get('organization')).toBe('default');
  });

  it('brings who came from a consent page of the gateway back to it, and to no other page', async () => {
    for (const [from, to] of [
      ['/oauth2/interaction/abc', '/oauth2/interaction/abc'],
      ['//evil.test', undefined],
      ['/sign-in', undefined],
    ] as const) {
      const integrationId = await people.insertIntegration();
      const query = `?return_to=${encodeURIComponent(from)}`;
      const done = await bob.browser.request(await bob.consent(integrationId, { query }));
      const here = `/integrations/${integrationId}/connect?result=connected`;
      expect(done.headers.get('location')).toBe(to ?? here);
    }
  });

  it('shows an outsider nothing of another organization’s integration', async () => {
    const orgId = await people.broker.insertOrganization('outside');
    const integrationId = await people.insertIntegration({ organization_id: orgId, name: 'Hidden' });
    const answer = await bob.get(`/integrations/${integrationId}/connect`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toContain('Hidden');
  });

  it('is framed by nobody, runs no script and is not kept', async () => {
    const { headers } = await bob.get(`/integrations/${await people.insertIntegration()}/connect`);
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers.get('cache-control')).toBe('no-store');
  });
});

describe('for the service identity', () => {
  it('an admin consents, and unattended callers and discovery run with it', async () => {
    const serviceId = await people.userId('service');
    const integrationId = await people.insertIntegration({ service_user_id: serviceId });
    expect(codeOf(await people.lease(integrationId, null))).toBe('auth_context_unavailable');
    const page = await alice.connect(integrationId, { query: '?as=service', as: 'service' });
    expect(page).toContain('As the service identity');
    const unattended = await people.lease(integrationId, null);
    expect([codeOf(unattended), subjectOf(unattended)]).toEqual(['service_user', 'service']);
    expect(subjectOf(await people.leaseForDiscovery(integrationId))).toBe('service');
    expect(codeOf(await people.lease(integrationId, bob.id))).toBe('needs_reauth');
    expect((await people.credential(integrationId))?.consent_granted_by).toBe(alice.id);
  });

  it.each([
    ['somebody who is no admin', 'bob', true],
    ['anybody where none is set', 'alice', false],
  ])('refuses %s', async (_what, name, isSet) => {
    const service = isSet ? { service_user_id: await people.userId('service') } : {};
    const integrationId = await people.insertIntegration(service);
    const answer = await (name === 'bob' ? bob : alice).get(
      `/integrations/${integrationId}/connect?as=service`,
    );
    expect(answer.status).toBe(403);
  });
});

describe('an attack on a consent', () => {
  it('with a state that was used already is refused', async () => {
    const integrationId = await people.insertIntegration();
    const callback = await bob.consent(integrationId);
    expect((await bob.browser.request(callback)).status).toBe(303);
    const replayed = await bob.browser.request(callback);
    expect(replayed.status).toBe(400);
    expect(await replayed.text()).not.toContain(new URL(callback).searchParams.get('code'));
    expect(await reasons()).toContain('state_used');
  });

  it('by sending another user through it is refused, and the own user can still complete it', async () => {
    const integrationId = await people.insertIntegration();
    const callback = await bob.consent(integrationId);
    expect((await alice.browser.request(callback)).status).toBe(403);
    expect((await fetch(callback, { redirect: 'manual' })).status).toBe(403);
    expect(await people.credential(integrationId)).toMatchObject(pending);
    expect((await bob.browser.request(callback)).status).toBe(303);
    expect(await reasons()).toContain('other_user');
  });

  it('in another session of the same user is refused', async () => {
    const callback = await bob.consent(await people.insertIntegration());
    const elsewhere = await people.person('bob');
    expect((await elsewhere.browser.request(callback)).status).toBe(403);
  });

  it.each([
    ['another issuer', (url: URL) => url.searchParams.set('iss', 'https://evil.test'), 'issuer_mismatch'],
    ['no issuer', (url: URL) => url.searchParams.delete('iss'), 'issuer_mismatch'],
    [
      'a changed state',
      (url: URL) => url.searchParams.set('state', `${url.searchParams.get('state')}x`),
      'state_invalid',
    ],
    ['no state', (url: URL) => url.searchParams.delete('state'), 'state_invalid'],
    ['two states', (url: URL) => url.searchParams.append('state', 'x'), 'state_invalid'],
    ['two codes', (url: URL) => url.searchParams.append('code', 'x'), 'malformed'],
  ])('with %s is refused, and nothing is redeemed', async (_what, change, reason) => {
    const integrationId = await people.insertIntegration();
    const url = new URL(await bob.consent(integrationId));
    change(url);
    const redeemed = people.vendor.log.length;
    const answer = await bob.browser.request(url.href);
    expect(answer.status).toBe(400);
    expect(people.vendor.log.slice(redeemed).filter(({ path }) => path === '/token')).toEqual([]);
    expect(await people.credential(integrationId)).toMatchObject(pending);
    expect(await reasons()).toContain(reason);
  });

  it('with a form of somebody else’s is refused', async () => {
    const path = `/integrations/${await people.insertIntegration()}/connect`;
    const post = (headers: Record<string, string>, form_token: string) =>
      bob.get(path, { method: 'POST', headers, body: new URLSearchParams({ form_token }) });
    expect((await post({}, '')).status).toBe(403);
    const page = await (await alice.get(path)).text();
    const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? '';
    expect((await post({}, token)).status).toBe(403);
    const own = /name="form_token" value="([^"]+)"/.exec(await (await bob.get(path)).text())?.[1] ?? '';
    expect((await post({ origin: 'https://evil.test' }, own)).status).toBe(403);
    expect((await post({ origin: people.broker.publicUrl }, own)).status).toBe(303);
  });

  it('by endpoints of another origin than the issuer’s is refused', async () => {
    for (const name of ['token_endpoint', 'authorization_endpoint']) {
      const oauth = JSON.stringify({ [name]: 'http://127.0.0.1:9/evil' });
      const integrationId = await people.insertIntegration({ oauth });
      expect((await bob.get(`/integrations/${integrationId}/connect`)).status).toBe(502);
      expect((await people.audit('discovery_refused')).at(-1)).toMatchObject({
        ...{ integration_id: integrationId, details: { reason: 'vendor_unusable' } },
      });
    }
  });

  it('by a token endpoint that was changed on the way is refused, and nothing is redeemed', async () => {
    const integrationId = await people.insertIntegration();
    const callback = await bob.consent(integrationId);
    await people.broker.sql.query(`UPDATE registry.integrations SET oauth = $2 WHERE id = $1`, [
      integrationId,
      JSON.stringify({ token_endpoint: 'http://127.0.0.1:9/evil' }),
    ]);
    const redeemed = people.vendor.log.length;
    expect((await bob.browser.request(callback)).status).toBe(409);
    expect(people.vendor.log.slice(redeemed).filter(({ path }) => path === '/token')).toEqual([]);
    expect(await people.credential(integrationId)).toMatchObject(pending);
  });

  it.each([
    ['the integration was disabled', false, { enabled: false }, 404],
    ['it is another’s service identity by now', true, { service_user_id: 'bob' }, 409],
    ['there is no service identity any more', true, { service_user_id: null }, 403],
  ])('after %s comes to nothing', async (_what, isService, change, status) => {
    const service = isService ? { service_user_id: await people.userId('service') } : {};
    const integrationId = await people.insertIntegration(service);
    const callback = await alice.consent(integrationId, isService ? { query: '?as=service' } : {});
    const [[name, value]] = Object.entries(change) as [[string, unknown]];
    await people.broker.sql.query(`UPDATE registry.integrations SET ${name} = $2 WHERE id = $1`, [
      integrationId,
      value === 'bob' ? bob.id : value,
    ]);
    const redeemed = people.vendor.log.length;
    expect((await alice.browser.request(callback)).status).toBe(status);
    expect(people.vendor.log.slice(redeemed).filter(({ path }) => path === '/token')).toEqual([]);
    expect(await people.credential(integrationId)).toMatchObject(pending);
  });

  it('by a code that the vendor does not know ends with a page and no credential', async () => {
    const integrationId = await people.insertIntegration();
    const url = new URL(await bob.consent(integrationId));
    url.searchParams.set('code', 'canary-code');
    const answer = await bob.browser.request(url.href);
    expect(answer.status).toBe(502);
    expect(await answer.text()).not.toContain('canary');
    expect(await people.credential(integrationId)).toMatchObject(pending);
  });
});

describe('a consent that does not come about', () => {
  it('because the user says no says so', async () => {
    const integrationId = await people.insertIntegration();
    const answer = await bob.browser.request(await bob.consent(integrationId, { deny: true }));
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('Consent was not given');
  });

  it('because the vendor is down can be tried again', async () => {
    const integrationId = await people.insertIntegration();
    people.vendor.down = true;
    expect((await bob.get(`/integrations/${integrationId}/connect`)).status).toBe(503);
    people.vendor.down = false;
    expect(await bob.connect(integrationId)).toContain('is connected');
  });

  it('because the vendor forgot the client finds it registered anew', async () => {
    const integrationId = await people.insertIntegration();
    await bob.connect(integrationId);
    await people.broker.sql.query(`UPDATE vault.oauth_clients SET registered_at = now() - interval '1 day'`);
    people.vendor.forgetClients();
    expect(await bob.connect(integrationId)).toContain('is connected');
  });
});
