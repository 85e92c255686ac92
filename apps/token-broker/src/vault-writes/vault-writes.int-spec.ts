import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type LeaseContent, queues } from '@switchyard/contracts';
import { BrokerHarness, newRecipient } from '../token-broker-harness-spec.js';

let broker: BrokerHarness;

async function leased(integrationId: string): Promise<LeaseContent> {
  const { jwk, open } = await newRecipient();
  const answer = await broker.lease(integrationId, { recipient: jwk });
  if (answer.status !== 'granted') throw new Error(answer.error.message);
  return open(answer.jwe);
}

beforeAll(async () => {
  broker = await BrokerHarness.open();
  await broker.startBroker();
}, 120_000);
afterAll(() => broker.close());

describe('vault-writes', () => {
  it('replaces the whole set of a kind and leaves the other kind alone', async () => {
    const id = await broker.insertIntegration('headers');
    await broker.put(id, { A: '1', B: '2' });
    await broker.put(id, { E: 'env' }, { kind: 'env' });
    await broker.put(id, { B: '3' });
    expect(await leased(id)).toEqual({ headers: { B: '3' }, env: { E: 'env' } });
  });

  it('takes the values of an integration that is not there yet', async () => {
    expect(await broker.put(randomUUID(), { A: '1' })).toEqual({ status: 'stored', names: ['A'] });
  });

  it('keeps either of two sets that are stored at once, never a mixture', async () => {
    const id = await broker.insertIntegration('headers');
    const sets = Array.from({ length: 8 }, (_, set) => ({ A: `${set}`, B: `${set}` }));
    await Promise.all(sets.map((set) => broker.put(id, set)));
    const { headers } = await leased(id);
    expect(headers['A']).toBe(headers['B']);
  });

  it('deletes everything of the integration', async () => {
    const id = await broker.insertIntegration('headers');
    await broker.put(id, { A: '1' });
    await broker.delete(id);
    expect(await leased(id)).toEqual({ headers: {}, env: {} });
  });

  it('refuses values that would break a request, and keeps the former ones', async () => {
    const id = await broker.insertIntegration('headers');
    await broker.put(id, { A: '1' });
    const answer = await broker.put(id, { 'X-A': 'canary\r\nHost: evil', Host: 'canary' });
    expect(answer).toMatchObject({ status: 'refused', error: { code: 'invalid_request' } });
    expect(JSON.stringify(answer)).not.toContain('canary');
    expect((await leased(id)).headers).toEqual({ A: '1' });
  });

  it('refuses to store for another organization’s integration', async () => {
    const id = await broker.insertIntegration('headers');
    const orgId = await broker.insertOrganization('writer');
    expect(await broker.put(id, { A: '1' }, { orgId })).toMatchObject({
      status: 'refused',
      error: { code: 'not_found' },
    });
    expect((await leased(id)).headers).toEqual({});
  });

  it.each([
    ['text', 'canary'],
    ['a list', '["canary"]'],
    ['values that are no text', '{"A":1}'],
  ])('refuses %s', async (_what, plaintext) => {
    const jwe = await broker.sealToBroker(plaintext);
    const put = {
      v: 1,
      op: 'put',
      orgId: broker.orgId,
      integrationId: randomUUID(),
      kind: 'headers',
      jwe,
    } as const;
    const answer = await broker.queue.request(queues.vaultWrites, put, { timeoutMs: 8_000 });
    expect(answer).toMatchObject({ status: 'refused', error: { code: 'invalid_request' } });
    expect(JSON.stringify(answer)).not.toContain('canary');
  });

  it('refuses what is not sealed to the broker', async () => {
    const put = {
      v: 1,
      op: 'put',
      orgId: broker.orgId,
      integrationId: randomUUID(),
      kind: 'headers',
      jwe: 'a.b.c.d.e',
    } as const;
    const answer = await broker.queue.request(queues.vaultWrites, put, { timeoutMs: 8_000 });
    expect(answer).toMatchObject({ status: 'refused', error: { code: 'invalid_request' } });
  });
});
