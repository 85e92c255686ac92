import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queues, type SecretLeaseRequest } from '@switchyard/contracts';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { BrokerHarness } from '../token-broker-harness-spec.js';
import { SecretsRepository } from '../vault/secrets.repository.js';

const timeoutMs = 20_000;
let broker: BrokerHarness;

beforeAll(async () => {
  broker = await BrokerHarness.open();
  await broker.startBroker();
}, 120_000);
afterAll(() => broker.close());

const agent = () => broker.insertAgent();

async function webhook(): Promise<string> {
  const id = randomUUID();
  await broker.sql.query(
    `INSERT INTO registry.agent_webhooks (id, organization_id, agent_id, name, scheme, input, body_limit_bytes)
     VALUES ($1, $2, $3, 'W', '{"scheme":"standard"}', '', 1000)`,
    [id, broker.orgId, await agent()],
  );
  return id;
}

/** What the vault says to agent-runner: the values, or the code of the refusal. */
async function leased(ownerId: string, fields: Partial<SecretLeaseRequest> = {}) {
  const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
  const { kty, crv, x, y } = await exportJWK(pair.publicKey);
  const recipient = { kty, crv, x, y } as SecretLeaseRequest['recipient'];
  const request = { v: 1, orgId: broker.orgId, ownerId, kind: 'model_key', recipient, ...fields } as const;
  const answer = await broker.queue.request(queues.secretLeases, request, { timeoutMs });
  if (answer.status === 'refused') return answer.error.code;
  const { plaintext } = await compactDecrypt(answer.jwe, pair.privateKey);
  return JSON.parse(new TextDecoder().decode(plaintext)) as unknown;
}

const write = async (integrationId: string, op: 'rotate' | 'drop_previous', current = '') => {
  const jwe = await broker.sealToBroker(JSON.stringify({ current }));
  const of = { v: 1, orgId: broker.orgId, integrationId, kind: 'webhook' } as const;
  const message = op === 'rotate' ? ({ ...of, op, jwe } as const) : ({ ...of, op } as const);
  return broker.queue.request(queues.vaultWrites, message, { timeoutMs });
};

const audited = (ownerId: string) =>
  broker.sql.query(
    `SELECT action, result, code, details, actor_kind AS actor FROM broker.audit_events
     WHERE details->>'owner' = $1 ORDER BY sequence`,
    [ownerId],
  );

describe('secret-leases', () => {
  it('give the key of a model to its organization alone, of that kind alone', async () => {
    const id = await agent();
    await broker.put(id, { api_key: 'sk-1' }, { kind: 'model_key' });
    expect(await leased(id)).toEqual({ api_key: 'sk-1' });
    expect(await leased(id, { orgId: await broker.insertOrganization('asks') })).toBe('not_found');
    expect(await leased(id, { kind: 'webhook' })).toBe('not_found');
  });

  it.each([
    ['nothing is stored', () => agent()],
    ['there is no such agent', async () => randomUUID()],
    ['the id is an integration’s', () => broker.insertIntegration('headers')],
  ])('are refused where %s', async (what, owner) => {
    const id = await owner();
    if (what.includes('integration')) await broker.put(id, { 'X-Key': 'v' });
    expect(await leased(id)).toBe('not_found');
  });

  it('give nothing any more once the agent is gone, or its key deleted', async () => {
    const [gone, kept] = [await agent(), await agent()];
    for (const id of [gone, kept]) await broker.put(id, { api_key: 'sk-1' }, { kind: 'model_key' });
    await broker.sql.query(`DELETE FROM registry.agents WHERE id = $1`, [gone]);
    await broker.delete(kept);
    expect([await leased(gone), await leased(kept)]).toEqual(['not_found', 'not_found']);
  });

  it('are written down the first time, and not each minute', async () => {
    const id = await agent();
    await broker.put(id, { api_key: 'canary-key' }, { kind: 'model_key' });
    for (let n = 0; n < 3; n++) await leased(id);
    await leased(id, { kind: 'webhook' });
    await leased(id, { kind: 'webhook' });
    const events = await audited(id);
    expect(events).toMatchObject([
      {
        ...{ action: 'lease_granted', result: 'ok', code: null },
        details: { secret: 'model_key', owner: id, times: 1 },
      },
      { action: 'lease_refused', result: 'refused', code: 'not_found', details: { secret: 'webhook' } },
    ]);
    expect(JSON.stringify(events)).not.toContain('canary');
  });

  it('refuse a recipient that is no key', async () => {
    const id = await agent();
    await broker.put(id, { api_key: 'sk-1' }, { kind: 'model_key' });
    const recipient = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' } as const;
    expect(await leased(id, { recipient })).toBe('invalid_request');
  });
});

describe('the secrets of a webhook', () => {
  const ofWebhook = (id: string) => leased(id, { kind: 'webhook' });

  it('keep the one before while they are rotated, and no older one', async () => {
    const id = await webhook();
    await broker.put(id, { current: 'one' }, { kind: 'webhook' });
    expect(await ofWebhook(id)).toEqual({ current: 'one' });
    expect(await write(id, 'rotate', 'two')).toEqual({ status: 'stored', names: ['previous', 'current'] });
    expect(await ofWebhook(id)).toEqual({ current: 'two', previous: 'one' });
    await write(id, 'rotate', 'three');
    expect(await ofWebhook(id)).toEqual({ current: 'three', previous: 'two' });
    expect(await write(id, 'drop_previous')).toEqual({ status: 'stored', names: ['current'] });
    expect(await ofWebhook(id)).toEqual({ current: 'three' });
  });

  it('are not another organization’s to change', async () => {
    const id = await webhook();
    await broker.put(id, { current: 'one' }, { kind: 'webhook' });
    const orgId = await broker.insertOrganization('rotates');
    expect(await broker.put(id, { current: 'mine' }, { kind: 'webhook', orgId })).toMatchObject({
      error: { code: 'not_found' },
    });
    expect(await ofWebhook(id)).toEqual({ current: 'one' });
  });

  it('have values that a header can hold, under the names that they have', async () => {
    const id = await webhook();
    for (const values of [{ current: 'a\nb' }, { current: '' }, { other: 'a' }])
      expect(await broker.put(id, values, { kind: 'webhook' })).toMatchObject({
        error: { code: 'invalid_request' },
      });
  });
});

describe('secrets whose owner is gone', () => {
  it('are forgotten after an hour; all others stay', async () => {
    const kinds = [
      [await agent(), { api_key: 'k' }, 'model_key'],
      [await webhook(), { current: 'k' }, 'webhook'],
      [await broker.insertIntegration('headers'), { A: 'k' }, 'headers'],
    ] as const;
    for (const [id, values, kind] of kinds) {
      await broker.put(id, values, { kind });
      await broker.put(randomUUID(), values, { kind });
    }
    const old = kinds.map(([id]) => id);
    const gone = await Promise.all(
      kinds.map(async ([, values, kind]) => {
        const id = randomUUID();
        await broker.put(id, values, { kind });
        return id;
      }),
    );
    await broker.sql.query(
      `UPDATE vault.secrets SET stored_at = now() - interval '2 hours' WHERE integration_id = ANY($1)`,
      [[...old, ...gone]],
    );
    expect(await broker.running[0]!.app.get(SecretsRepository).deleteOrphaned()).toBe(3);
    const left = await broker.sql.query<{ id: string }>(
      `SELECT DISTINCT integration_id AS id FROM vault.secrets WHERE integration_id = ANY($1)`,
      [[...old, ...gone]],
    );
    expect(left.map(({ id }) => id).sort()).toEqual([...old].sort());
  });
});
