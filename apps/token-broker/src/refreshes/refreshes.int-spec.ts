import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { codeOf, type Leased, PeopleHarness, type Person, subjectOf } from '../people-harness-spec.js';
import { BackgroundRefreshService } from './background-refresh.service.js';

let people: PeopleHarness;
let bob: Person;

async function connected(): Promise<string> {
  const integrationId = await people.insertIntegration();
  await bob.connect(integrationId);
  return integrationId;
}

function leases(integrationId: string, count: number): Promise<Leased[]> {
  return Promise.all(Array.from({ length: count }, () => people.lease(integrationId, bob.id)));
}

beforeAll(async () => {
  people = await PeopleHarness.open();
  await Promise.all([people.broker.startBroker(), people.broker.startBroker()]);
  bob = await people.person('bob');
}, 120_000);
afterEach(() => {
  people.vendor.down = false;
  people.vendor.delayRefresh(0);
});
afterAll(() => people.close());

describe('an expired token with a rotating refresh token', () => {
  it('is refreshed once for a hundred leases at once over two brokers', async () => {
    const integrationId = await connected();
    await people.expire(integrationId);
    const before = people.vendor.refreshes();
    const leased = await leases(integrationId, 100);
    expect(new Set(leased.map(codeOf))).toEqual(new Set(['user_token']));
    expect(new Set(leased.map(({ token }) => token)).size).toBe(1);
    expect(people.vendor.refreshes() - before).toBe(1);
  });

  it('is refreshed again and again, each time with the new refresh token', async () => {
    const integrationId = await connected();
    for (let round = 0; round < 3; round++) {
      await people.expire(integrationId);
      expect(codeOf(await people.lease(integrationId, bob.id))).toBe('user_token');
    }
  });
});

describe('a lease that the upstream refused', () => {
  it('leads to one refresh, however many workers say so', async () => {
    const integrationId = await connected();
    const first = await people.lease(integrationId, bob.id);
    const refused = { credential: (first.answer as any).credential, again: false };
    const before = people.vendor.refreshes();
    const again = await Promise.all(
      Array.from({ length: 20 }, () => people.lease(integrationId, bob.id, { refused })),
    );
    expect(new Set(again.map(codeOf))).toEqual(new Set(['user_token']));
    expect(again[0]!.token).not.toBe(first.token);
    expect(people.vendor.refreshes() - before).toBe(1);
  });

  it('a second time means that its user connects again, unless they have', async () => {
    const integrationId = await connected();
    const old = (await people.lease(integrationId, bob.id)).answer as any;
    const refused = { credential: old.credential, again: false };
    const next = (await people.lease(integrationId, bob.id, { refused })).answer as any;
    const given = await people.lease(integrationId, bob.id, {
      refused: { credential: next.credential, again: true },
    });
    expect(given.answer).toMatchObject({
      status: 'refused',
      authPath: 'needs_reauth',
      error: {
        code: 'needs_reauth',
        details: { reauth_url: `${people.broker.publicUrl}/integrations/${integrationId}/connect` },
      },
    });
    expect(await people.credential(integrationId)).toMatchObject({ state: 'needs_reauth' });
    await bob.connect(integrationId);
    const late = await people.lease(integrationId, bob.id, {
      refused: { credential: next.credential, again: true },
    });
    expect(codeOf(late)).toBe('user_token');
  });
});

describe('a vendor that is down', () => {
  it('lets leases fail for now, leaves the credential as it is, and works when it is back', async () => {
    const integrationId = await connected();
    await people.expire(integrationId);
    people.vendor.down = true;
    const refused = await people.lease(integrationId, bob.id);
    expect(refused.answer).toMatchObject({ error: { code: 'authorization_server_unavailable' } });
    expect((refused.answer as any).error.retryAfterMs).toBeGreaterThan(0);
    expect(await people.credential(integrationId)).toMatchObject({ state: 'active' });
    people.vendor.down = false;
    await eventually(async () => codeOf(await people.lease(integrationId, bob.id)) === 'user_token', {
      timeoutMs: 10_000,
    });
  });

  it('is not asked again during the cool-down', async () => {
    const integrationId = await connected();
    await people.expire(integrationId);
    people.vendor.down = true;
    await people.lease(integrationId, bob.id);
    const asked = people.vendor.log.length;
    for (let times = 0; times < 5; times++)
      expect(codeOf(await people.lease(integrationId, bob.id))).toBe('authorization_server_unavailable');
    expect(people.vendor.log.length - asked).toBeLessThanOrEqual(1);
  });

  it('does not take away what still lives', async () => {
    const integrationId = await connected();
    await people.broker.sql.query(
      `UPDATE vault.user_external_mcp_credentials SET expires_at = now() + interval '40 seconds',
         last_refreshed_at = now() - interval '1 hour' WHERE integration_id = $1`,
      [integrationId],
    );
    people.vendor.down = true;
    const { answer } = await people.lease(integrationId, bob.id);
    expect(answer).toMatchObject({ status: 'granted' });
    expect((answer as any).expiresAt).toBeLessThanOrEqual(Date.now() + 10_000);
  });
});

describe('a vendor that says invalid_grant', () => {
  it('makes the user connect again, after which the same call succeeds', async () => {
    const integrationId = await connected();
    await people.expire(integrationId);
    people.vendor.invalidGrant('bob');
    const refused = await people.lease(integrationId, bob.id);
    expect(refused.answer).toMatchObject({ authPath: 'needs_reauth', error: { code: 'needs_reauth' } });
    expect(await people.credential(integrationId)).toMatchObject({
      state: 'needs_reauth',
      state_reason: 'revoked_by_vendor',
      refresh_token_ciphertext: null,
    });
    expect((await people.audit('refresh_failed')).map((row) => row.integration_id)).toContain(integrationId);
    await bob.connect(integrationId);
    expect(subjectOf(await people.lease(integrationId, bob.id))).toBe('bob');
  });
});

describe('a vendor that forgot the client', () => {
  it('gets a new one in place, and its users connect again', async () => {
    const integrationId = await connected();
    await people.expire(integrationId);
    const client = async () =>
      (
        await people.broker.sql.query<{ client_id: string }>(
          `SELECT client_id FROM vault.oauth_clients WHERE integration_id = $1`,
          [integrationId],
        )
      )[0]!.client_id;
    const old = await client();
    people.vendor.forgetClients(old);
    expect(codeOf(await people.lease(integrationId, bob.id))).toBe('needs_reauth');
    expect(await client()).not.toBe(old);
    await bob.connect(integrationId);
    expect(subjectOf(await people.lease(integrationId, bob.id))).toBe('bob');
  });
});

describe('an integration that moves', () => {
  it('takes no credential along', async () => {
    const integrationId = await connected();
    await people.broker.sql.query(`UPDATE registry.integrations SET transport = $2 WHERE id = $1`, [
      integrationId,
      JSON.stringify({ type: 'http', url: 'http://127.0.0.1:9/mcp' }),
    ]);
    expect(codeOf(await people.lease(integrationId, bob.id))).toBe('needs_reauth');
  });

  it('gets no credential in the background either, and none comes alive there', async () => {
    const integrationId = await connected();
    await people.lease(integrationId, bob.id);
    const { server_url: before } = (await people.credential(integrationId))!;
    await people.broker.sql.query(
      `UPDATE vault.user_external_mcp_credentials SET expires_at = now() + interval '2 minutes',
         last_refreshed_at = now() - interval '1 hour', last_used_at = now() WHERE integration_id = $1`,
      [integrationId],
    );
    await people.broker.sql.query(`UPDATE registry.integrations SET transport = $2 WHERE id = $1`, [
      integrationId,
      JSON.stringify({ type: 'http', url: 'http://127.0.0.1:9/mcp' }),
    ]);
    await people.broker.running[0]!.app.get(BackgroundRefreshService).refreshDue();
    expect(await people.credential(integrationId)).toMatchObject({
      ...{ state: 'needs_reauth', state_reason: 'integration_moved', server_url: before },
      refresh_token_ciphertext: null,
    });
    expect(codeOf(await people.lease(integrationId, bob.id))).toBe('needs_reauth');
  });

  it('to another token endpoint sends it no refresh token', async () => {
    const integrationId = await connected();
    await people.expire(integrationId);
    const before = people.vendor.refreshes();
    await people.broker.sql.query(`UPDATE registry.integrations SET oauth = $2 WHERE id = $1`, [
      integrationId,
      JSON.stringify({ token_endpoint: `${people.vendor.issuer}/token?elsewhere` }),
    ]);
    expect(codeOf(await people.lease(integrationId, bob.id))).toBe('needs_reauth');
    expect(people.vendor.refreshes()).toBe(before);
  });
});

describe('in the background', () => {
  it('tokens in use are refreshed ahead of their expiry, once over all brokers', async () => {
    await people.broker.sql.query(`DELETE FROM vault.user_external_mcp_credentials`);
    const integrationId = await connected();
    await people.lease(integrationId, bob.id);
    await people.broker.sql.query(
      `UPDATE vault.user_external_mcp_credentials SET expires_at = now() + interval '2 minutes',
         last_refreshed_at = now() - interval '1 hour', last_used_at = now() WHERE integration_id = $1`,
      [integrationId],
    );
    const before = people.vendor.refreshes();
    const services = people.broker.running.map(({ app }) => app.get(BackgroundRefreshService));
    await Promise.all(services.map((service) => service.refreshDue()));
    expect(people.vendor.refreshes() - before).toBe(1);
    expect((await people.credential(integrationId))?.expires_at.getTime()).toBeGreaterThan(
      Date.now() + 200_000,
    );
  });
});
