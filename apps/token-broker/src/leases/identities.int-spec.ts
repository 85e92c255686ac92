import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queues } from '@switchyard/contracts';
import { decodeJwt } from 'jose';
import { audience, codeOf, PeopleHarness, type Person, subjectOf } from '../people-harness-spec.js';

const client = { client_id: 'exchanger', client_secret: 'canary-client-secret' };
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';

let people: PeopleHarness;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  people = await PeopleHarness.open({
    clients: [
      {
        ...client,
        redirect_uris: [],
        grant_types: [exchangeGrant, 'client_credentials'],
        token_endpoint_auth_method: 'client_secret_basic',
      },
    ],
  });
  people.vendor.trustedIssuers.push(people.provider.issuer);
  await people.broker.startBroker();
  [alice, bob] = [await people.person('alice'), await people.person('bob')];
}, 120_000);
afterAll(() => people.close());

/** An integration with a client that the admin registered, its secret in the vault. */
async function configured(
  mode: 'client_credentials' | 'token_exchange',
  oauth: object = {},
): Promise<string> {
  const integrationId = await people.insertIntegration({
    auth_mode: mode,
    oauth: JSON.stringify({ client_id: client.client_id, scopes: ['notes:read'], ...oauth }),
  });
  const jwe = await people.broker.sealToBroker(JSON.stringify({ client_secret: client.client_secret }));
  const { orgId } = people.broker;
  const put = { v: 1, op: 'put', orgId, integrationId, kind: 'oauth_client', jwe } as const;
  const answer = await people.broker.queue.request(queues.vaultWrites, put, { timeoutMs: 8_000 });
  expect(answer).toEqual({ status: 'stored', names: ['client_secret'] });
  return integrationId;
}

describe('client_credentials', () => {
  it('leases the integration’s own token to everybody, present or not, and to discovery', async () => {
    const integrationId = await configured('client_credentials');
    const all = [
      await people.lease(integrationId, bob.id),
      await people.lease(integrationId, null),
      await people.leaseForDiscovery(integrationId),
    ];
    expect(all.map(codeOf)).toEqual(['service_token', 'service_token', 'service_token']);
    expect(new Set(all.map(({ token }) => token)).size).toBe(1);
    expect(decodeJwt(all[0]!.token!)).toMatchObject({
      aud: people.upstream.resource,
      client_id: 'exchanger',
    });
  });

  it('asks once for a new token however many ask at once', async () => {
    const integrationId = await configured('client_credentials');
    const asked = () =>
      people.vendor.log.filter(({ grantType }) => grantType === 'client_credentials').length;
    const before = asked();
    const leased = await Promise.all(Array.from({ length: 50 }, () => people.lease(integrationId, null)));
    expect(new Set(leased.map(codeOf))).toEqual(new Set(['service_token']));
    expect(asked() - before).toBe(1);
    await people.expire(integrationId);
    await people.lease(integrationId, null);
    expect(asked() - before).toBe(2);
  });

  it('says that an admin has to look when the vendor refuses the client', async () => {
    const integrationId = await configured('client_credentials', { client_id: 'nobody' });
    expect(codeOf(await people.lease(integrationId, null))).toBe('auth_context_unavailable');
    expect(await people.credential(integrationId)).toMatchObject({ state: 'pending' });
  });
});

describe('token_exchange', () => {
  const present = { hasSubjectToken: true };

  async function subjectToken(user = 'bob', aud = audience, ttlSeconds = 300): Promise<string> {
    return people.broker.sealToBroker(await people.provider.issueToken(user, aud, { ttlSeconds }));
  }

  it('exchanges the present user’s token for one of the upstream, once while it lasts', async () => {
    const integrationId = await configured('token_exchange');
    const jwt = await people.provider.issueToken('bob', audience);
    const exchanges = () => people.vendor.log.filter(({ grantType }) => grantType === exchangeGrant).length;
    const before = exchanges();
    const leased = await Promise.all(
      Array.from({ length: 10 }, async () =>
        people.lease(integrationId, bob.id, {
          caller: present,
          subjectToken: await people.broker.sealToBroker(jwt),
        }),
      ),
    );
    expect(leased.map(codeOf)).toEqual(leased.map(() => 'exchanged_token'));
    expect(decodeJwt(leased[0]!.token!)).toMatchObject({ sub: 'bob', aud: people.upstream.resource });
    expect(exchanges() - before).toBe(1);
    const ofAlice = await people.lease(integrationId, alice.id, {
      caller: present,
      subjectToken: await subjectToken('alice'),
    });
    expect(subjectOf(ofAlice)).toBe('alice');
    expect((await people.audit('token_exchanged')).length).toBeGreaterThanOrEqual(2);
  });

  it('leads to another exchange when the upstream refuses the token, and then to no more', async () => {
    const integrationId = await configured('token_exchange');
    const token = await subjectToken();
    const first = await people.lease(integrationId, bob.id, { caller: present, subjectToken: token });
    const refused = { credential: (first.answer as any).credential, again: false };
    const second = await people.lease(integrationId, bob.id, {
      caller: present,
      subjectToken: token,
      refused,
    });
    expect(second.token).not.toBe(first.token);
    const again = { credential: (second.answer as any).credential, again: true };
    const third = await people.lease(integrationId, bob.id, {
      caller: present,
      subjectToken: token,
      refused: again,
    });
    expect(codeOf(third)).toBe('token_exchange_failed');
  });

  it.each([
    ['another audience', () => subjectToken('bob', 'https://elsewhere.example'), 'auth_context_unavailable'],
    ['a time that is over', () => subjectToken('bob', audience, -10), 'needs_reauth'],
    ['another user', () => subjectToken('alice'), 'forbidden'],
    [
      'no signature of the provider',
      () => people.broker.sealToBroker('eyJhbGciOiJub25lIn0.e30.'),
      'auth_context_unavailable',
    ],
    ['no seal to the broker', () => Promise.resolve('a.b.c.d.e'), 'forbidden'],
  ])('refuses a subject token with %s', async (_what, make, code) => {
    const integrationId = await configured('token_exchange');
    const leased = await people.lease(integrationId, bob.id, { caller: present, subjectToken: await make() });
    expect(codeOf(leased)).toBe(code);
    const rows = await people.audit('exchange_refused');
    expect(rows.map((row) => row.integration_id)).toContain(integrationId);
  });

  it('refuses a token that is not the one under the call’s seal', async () => {
    const integrationId = await configured('token_exchange');
    const [sealed, other] = [await subjectToken(), await subjectToken()];
    const caller = { ...people.caller(bob.id), ...present };
    const subjectTokenSha256 = createHash('sha256').update(sealed).digest('hex');
    const call = people.broker.sealedCall(integrationId, { caller, subjectTokenSha256 });
    const leased = await people.lease(integrationId, bob.id, { call, caller: present, subjectToken: other });
    expect(codeOf(leased)).toBe('forbidden');
  });

  it('sends no token to another authorization server than before, unless an admin names it', async () => {
    const integrationId = await configured('token_exchange');
    const ask = async () =>
      codeOf(
        await people.lease(integrationId, bob.id, { caller: present, subjectToken: await subjectToken() }),
      );
    expect(await ask()).toBe('exchanged_token');
    // As if the server had named another one when it was first used.
    await people.broker.sql.query(
      `UPDATE vault.oauth_clients SET issuer = 'https://before.example' WHERE integration_id = $1 AND kind = 'configured'`,
      [integrationId],
    );
    const exchanges = () => people.vendor.log.filter(({ grantType }) => grantType === exchangeGrant).length;
    const before = exchanges();
    expect(await ask()).toBe('upstream_protocol_error');
    expect(exchanges()).toBe(before);
    expect((await people.audit('discovery_refused')).at(-1)).toMatchObject({
      integration_id: integrationId,
      details: { reason: 'issuer_changed', issuer: people.vendor.issuer },
    });
    await people.broker.sql.query(
      `UPDATE registry.integrations SET oauth = oauth || jsonb_build_object('authorization_server', $2::text) WHERE id = $1`,
      [integrationId, people.vendor.issuer],
    );
    expect(await ask()).toBe('exchanged_token');
  });

  it('lists tools by the client’s own token', async () => {
    const integrationId = await configured('token_exchange');
    expect(codeOf(await people.leaseForDiscovery(integrationId))).toBe('service_token');
  });

  it('has nothing for callers without a token of a user', async () => {
    const integrationId = await configured('token_exchange');
    expect(codeOf(await people.lease(integrationId, null))).toBe('auth_context_unavailable');
    expect(codeOf(await people.lease(integrationId, bob.id))).toBe('auth_context_unavailable');
  });

  it('can be tried again when the vendor was down', async () => {
    const integrationId = await configured('token_exchange');
    people.vendor.down = true;
    const ask = async () =>
      codeOf(
        await people.lease(integrationId, bob.id, { caller: present, subjectToken: await subjectToken() }),
      );
    expect(await ask()).toBe('authorization_server_unavailable');
    people.vendor.down = false;
    expect(await ask()).toBe('exchanged_token');
  });
});

describe('authorization_code', () => {
  it('never lends a user’s token to somebody else, to nobody, or to another organization', async () => {
    const integrationId = await people.insertIntegration({ scope: 'global' });
    await bob.connect(integrationId);
    expect(codeOf(await people.lease(integrationId, alice.id))).toBe('needs_reauth');
    expect(codeOf(await people.lease(integrationId, null))).toBe('auth_context_unavailable');
    const orgId = await people.broker.insertOrganization('identities-elsewhere');
    const theirs = await people.userId('bob', orgId);
    expect(codeOf(await people.lease(integrationId, theirs, { caller: { orgId } }))).toBe('needs_reauth');
    expect(codeOf(await people.lease(integrationId, bob.id, { caller: { orgId } }))).toBe(
      'auth_context_unavailable',
    );
  });

  it('has no token for a schedule or webhook, whoever set it up', async () => {
    const integrationId = await people.insertIntegration();
    await bob.connect(integrationId);
    const scheduled = await people.lease(integrationId, bob.id, { caller: { runKind: 'schedule' } });
    expect(codeOf(scheduled)).toBe('auth_context_unavailable');
  });

  it('has no token for a user who was deactivated, from the next lease on', async () => {
    const integrationId = await people.insertIntegration();
    const dora = await people.person('dora');
    await dora.connect(integrationId);
    expect(codeOf(await people.lease(integrationId, dora.id))).toBe('user_token');
    await people.broker.sql.query(`UPDATE registry.users SET active = false WHERE id = $1`, [dora.id]);
    expect(codeOf(await people.lease(integrationId, dora.id))).toBe('auth_context_unavailable');
    expect((await dora.get(`/integrations/${integrationId}/connect`)).status).toBe(303);
  });

  it('lists tools by the first live consent where no service user is set', async () => {
    const integrationId = await people.insertIntegration();
    expect(codeOf(await people.leaseForDiscovery(integrationId))).toBe('needs_reauth');
    await bob.connect(integrationId);
    expect(subjectOf(await people.leaseForDiscovery(integrationId))).toBe('bob');
  });

  it('asks for the missing scope, and the next consent has it', async () => {
    const integrationId = await people.insertIntegration();
    await bob.connect(integrationId);
    const refused = await people.lease(integrationId, bob.id, { insufficientScopes: ['admin'] });
    expect(refused.answer).toMatchObject({
      error: {
        code: 'scope_insufficient',
        details: { scopes: ['admin'], integration_id: integrationId, reauth_url: expect.any(String) },
      },
    });
    expect(await people.credential(integrationId)).toMatchObject({ state: 'needs_update' });
    expect(codeOf(await people.lease(integrationId, bob.id))).toBe('user_token');
    await bob.connect(integrationId);
    const { token } = await people.lease(integrationId, bob.id);
    expect(String(decodeJwt(token!).scope).split(' ')).toEqual(
      expect.arrayContaining(['notes:read', 'notes:write', 'admin']),
    );
    expect(await people.credential(integrationId)).toMatchObject({ state: 'active', needed_scopes: [] });
  });
});

describe('headers that each user brings', () => {
  it('reach the upstream for that user alone, beside the integration’s own', async () => {
    const integrationId = await people.insertIntegration({
      auth_mode: 'headers',
      header_names: ['X-Tenant'],
      user_header_names: ['X-User-Key'],
    });
    await people.broker.put(integrationId, { 'X-Tenant': '42' });
    expect(codeOf(await people.lease(integrationId, bob.id))).toBe('needs_reauth');
    const put = (body: object) =>
      bob.get(`/api/credentials/headers/${integrationId}`, {
        method: 'PUT',
        headers: { origin: people.broker.publicUrl, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    expect((await put({ headers: { 'X-User-Key': 'canary\r\nHost: evil' } })).status).toBe(400);
    expect((await put({ headers: { 'X-Other': 'canary' } })).status).toBe(400);
    const stored = await put({ headers: { 'x-user-key': 'bobs-own' } });
    expect([stored.status, await stored.text()]).toEqual([200, expect.not.stringContaining('bobs-own')]);
    const leased = await people.lease(integrationId, bob.id);
    expect(leased.headers).toEqual({ 'X-Tenant': '42', 'X-User-Key': 'bobs-own' });
    expect(codeOf(await people.lease(integrationId, alice.id))).toBe('needs_reauth');
    expect(codeOf(await people.lease(integrationId, null))).toBe('auth_context_unavailable');
    const refused = { credential: (leased.answer as any).credential, again: false };
    expect(codeOf(await people.lease(integrationId, bob.id, { refused }))).toBe('needs_reauth');
  });

  it('can be given on the connect page', async () => {
    const integrationId = await people.insertIntegration({
      auth_mode: 'headers',
      user_header_names: ['X-Key'],
    });
    const path = `/integrations/${integrationId}/connect`;
    const form_token =
      /name="form_token" value="([^"]+)"/.exec(await (await bob.get(path)).text())?.[1] ?? '';
    const body = new URLSearchParams({ form_token, 'header-0': 'from-the-form' });
    expect((await bob.get(path, { method: 'POST', body })).status).toBe(303);
    expect((await people.lease(integrationId, bob.id)).headers).toEqual({ 'X-Key': 'from-the-form' });
  });
});
