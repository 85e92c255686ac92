import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, startAuthorizationServer } from '@switchyard/testing';
import { audience, codeOf, PeopleHarness, type Person } from '../people-harness-spec.js';
import { operatorKey } from '../token-broker-harness-spec.js';
import { ReconciliationService } from './reconciliation.service.js';

let people: PeopleHarness;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  people = await PeopleHarness.open();
  await people.broker.startBroker();
  [alice, bob] = [await people.person('alice'), await people.person('bob')];
}, 120_000);
afterAll(() => people.close());

function withBearer(path: string, bearer: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${people.broker.publicUrl}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${bearer}` },
  });
}

async function connected(person: Person): Promise<{ integrationId: string; id: string }> {
  const integrationId = await people.insertIntegration();
  await person.connect(integrationId);
  return { integrationId, id: (await people.credential(integrationId))!.id };
}

/** An organization with an admin key and a user of the same provider's other audience. */
async function neighbour(): Promise<{ key: string; jwt: string }> {
  const orgId = await people.broker.insertOrganization(`neighbour-${randomUUID().slice(0, 8)}`);
  const key = `ak_${randomUUID()}`;
  await people.broker.sql.query(
    `INSERT INTO registry.admin_keys (organization_id, key_hash) VALUES ($1, encode(sha256($2::bytea), 'hex'))`,
    [orgId, key],
  );
  const theirs = `https://${orgId}.example`;
  await people.insertProvider(orgId, 'theirs', theirs);
  const jwt = await people.provider.issueToken('alice', theirs);
  // The broker knows of a new provider two seconds later at most.
  await eventually(async () => (await withBearer('/api/credentials', jwt)).status === 200);
  return { key, jwt };
}

describe('/api/credentials', () => {
  it('shows a user their own and an admin all, with who, what, since when, and never a token', async () => {
    const [ofBob, ofAlice] = [await connected(bob), await connected(alice)];
    const { token } = await people.lease(ofBob.integrationId, bob.id);
    const list = async (answer: Promise<Response>) => (await (await answer).json()) as any;
    const bobs = await list(bob.get('/api/credentials?limit=200'));
    expect(new Set(bobs.items.map((one: any) => one.user_id))).toEqual(new Set([bob.id]));
    expect(bobs.items.find(({ id }: any) => id === ofBob.id)).toMatchObject({
      ...{ integration_id: ofBob.integrationId, kind: 'oauth', state: 'active', reason: null },
      ...{ issuer: people.vendor.issuer, scopes: expect.arrayContaining(['notes:read']) },
      connect_url: `${people.broker.publicUrl}/integrations/${ofBob.integrationId}/connect`,
    });
    for (const all of [
      await list(alice.get('/api/credentials?limit=200')),
      await list(withBearer('/api/credentials?limit=200', operatorKey)),
    ]) {
      const ids = all.items.map(({ id }: any) => id);
      expect(ids).toEqual(expect.arrayContaining([ofBob.id, ofAlice.id]));
      expect(JSON.stringify(all)).not.toContain(token!.slice(-16));
    }
    const page = await list(withBearer('/api/credentials?limit=1', operatorKey));
    expect(page.items).toHaveLength(1);
    expect(page.next_cursor).not.toBeNull();
    const byIntegration = `/api/credentials?integration_id=${ofBob.integrationId}`;
    const found = await list(withBearer(`${byIntegration}&state=active`, operatorKey));
    expect(found.items).toMatchObject([{ id: ofBob.id }]);
    expect((await list(withBearer(`${byIntegration}&state=orphaned`, operatorKey))).items).toEqual([]);
  });

  it('takes a user’s token', async () => {
    const jwt = await people.provider.issueToken('bob', audience);
    expect((await withBearer('/api/credentials', jwt)).status).toBe(200);
  });

  it.each([
    ['no credential', async () => fetch(`${people.broker.publicUrl}/api/credentials`)],
    ['a wrong key', async () => withBearer('/api/credentials', 'ak_nobody')],
    [
      'a token of another audience',
      async () =>
        withBearer('/api/credentials', await people.provider.issueToken('bob', 'https://x.example')),
    ],
    [
      'an unsigned token',
      async () => withBearer('/api/credentials', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ.'),
    ],
    [
      'a wrong key beside a session',
      async () => bob.get('/api/credentials', { headers: { authorization: 'Bearer ak_nobody' } }),
    ],
  ])('refuses %s', async (_what, ask) => expect((await ask()).status).toBe(401));

  it('takes changes from pages of our own origin alone', async () => {
    const { id } = await connected(bob);
    const remove = (headers: Record<string, string>) =>
      bob.get(`/api/credentials/${id}`, { method: 'DELETE', headers });
    expect((await remove({})).status).toBe(403);
    expect((await remove({ origin: 'https://evil.test' })).status).toBe(403);
    expect((await remove({ 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  });

  it('shows another user and another organization nothing', async () => {
    const { id, integrationId } = await connected(alice);
    const { key, jwt } = await neighbour();
    const origin = { origin: people.broker.publicUrl };
    expect((await bob.get(`/api/credentials/${id}`)).status).toBe(404);
    expect((await bob.get(`/api/credentials/${id}`, { method: 'DELETE', headers: origin })).status).toBe(404);
    for (const bearer of [key, jwt]) {
      expect((await withBearer(`/api/credentials/${id}`, bearer)).status).toBe(404);
      expect((await withBearer(`/api/credentials/${id}`, bearer, { method: 'DELETE' })).status).toBe(404);
      const { items } = (await (await withBearer('/api/credentials', bearer)).json()) as any;
      expect(items).toEqual([]);
    }
    const put = { method: 'PUT', body: '{"headers":{}}' };
    expect((await withBearer(`/api/credentials/headers/${integrationId}`, jwt, put)).status).not.toBe(200);
    expect(await people.credential(integrationId)).toBeDefined();
  });
});

describe('disconnecting', () => {
  it('revokes at the vendor, forgets here, and is written down', async () => {
    const { id, integrationId } = await connected(bob);
    const revocations = () => people.vendor.log.filter(({ path }) => path.includes('revocation')).length;
    const before = revocations();
    const answer = await withBearer(`/api/credentials/${id}`, operatorKey, { method: 'DELETE' });
    expect(await answer.json()).toEqual({ id, revoked_at_vendor: true });
    expect(revocations()).toBeGreaterThan(before);
    expect(await people.credential(integrationId)).toBeUndefined();
    expect(codeOf(await people.lease(integrationId, bob.id))).toBe('needs_reauth');
    expect((await people.audit('credential_disconnected')).at(-1)).toMatchObject({
      integration_id: integrationId,
    });
  });

  it('sends tokens to no revocation endpoint of another origin that an admin names', async () => {
    const { id, integrationId } = await connected(bob);
    const evil = await startAuthorizationServer();
    await people.broker.sql.query(`UPDATE registry.integrations SET oauth = $2 WHERE id = $1`, [
      integrationId,
      JSON.stringify({ revocation_endpoint: `${evil.issuer}/token/revocation` }),
    ]);
    const answer = await withBearer(`/api/credentials/${id}`, operatorKey, { method: 'DELETE' });
    await evil.close();
    expect(await answer.json()).toEqual({ id, revoked_at_vendor: false });
    expect(evil.log).toEqual([]);
  });

  it('revokes the tokens of a refresh that was under way', async () => {
    const { id, integrationId } = await connected(bob);
    await people.expire(integrationId);
    people.vendor.delayRefresh(1_500);
    const leased = people.lease(integrationId, bob.id);
    await eventually(() => people.vendor.refreshesWaiting() > 0);
    people.vendor.delayRefresh(0);
    const answer = await withBearer(`/api/credentials/${id}`, operatorKey, { method: 'DELETE' });
    expect(await answer.json()).toEqual({ id, revoked_at_vendor: true });
    const { token } = await leased;
    // Told as one to revoke, which comes after its being issued.
    expect(people.vendor.secrets.get(token!)).toBe('token');
  });

  it('works while the vendor is down', async () => {
    const { id, integrationId } = await connected(bob);
    people.vendor.down = true;
    const answer = await withBearer(`/api/credentials/${id}`, operatorKey, { method: 'DELETE' });
    people.vendor.down = false;
    expect(await answer.json()).toEqual({ id, revoked_at_vendor: false });
    expect(await people.credential(integrationId)).toBeUndefined();
  });

  it('comes with the deletion of the integration', async () => {
    const { integrationId } = await connected(bob);
    await people.broker.delete(integrationId);
    expect(await people.credential(integrationId)).toBeUndefined();
    const clients = await people.broker.sql.query(
      `SELECT 1 FROM vault.oauth_clients WHERE integration_id = $1`,
      [integrationId],
    );
    expect(clients).toEqual([]);
  });
});

describe('a credential whose user loses access', () => {
  it.each([
    [
      'is deactivated',
      `UPDATE registry.users SET active = $2 WHERE id = $1`,
      (_id: string, user: string) => user,
    ],
    [
      'loses the integration',
      `UPDATE registry.integrations SET enabled = $2 WHERE id = $1`,
      (id: string) => id,
    ],
  ])('because the user %s is orphaned, and comes back', async (_what, statement, target) => {
    const frank = await people.person(`frank-${randomUUID().slice(0, 4)}`);
    const { integrationId } = await connected(frank);
    const reconcile = () => people.broker.running[0]!.app.get(ReconciliationService).reconcile();
    await people.broker.sql.query(statement, [target(integrationId, frank.id), false]);
    await reconcile();
    expect(await people.credential(integrationId)).toMatchObject({
      state: 'orphaned',
      state_before: 'active',
    });
    await people.broker.sql.query(statement, [target(integrationId, frank.id), true]);
    expect(codeOf(await people.lease(integrationId, frank.id))).toBe('user_token');
    await reconcile();
    expect(await people.credential(integrationId)).toMatchObject({ state: 'active', state_before: null });
  });
});
