import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { LeaseAnswer } from '@switchyard/contracts';
import { onBothQueueBackends } from '@switchyard/testing';
import { BrokerHarness, newRecipient } from '../token-broker-harness-spec.js';

const headers = { Authorization: 'Bearer canary', 'X-Tenant': '42' };
const discovery = { call: null, caller: null };

function code(answer: LeaseAnswer): string {
  return answer.status === 'refused' ? answer.error.code : answer.status;
}

onBothQueueBackends('token-leases', (backend) => {
  let broker: BrokerHarness;
  let integrationId: string;

  beforeAll(async () => {
    broker = await BrokerHarness.open(backend);
    await broker.startBroker();
    integrationId = await broker.insertIntegration('headers', { header_names: Object.keys(headers) });
    expect(await broker.put(integrationId, headers)).toEqual({
      status: 'stored',
      names: Object.keys(headers),
    });
  }, 120_000);
  afterAll(() => broker.close());

  it('leases the integration’s headers, readable for five minutes by the asker', async () => {
    const { jwk, open } = await newRecipient();
    const answer = await broker.lease(integrationId, { recipient: jwk });
    if (answer.status !== 'granted') throw new Error(answer.error.message);
    expect(await open(answer.jwe)).toEqual({ headers, env: {} });
    expect(answer.authPath).toBe('static');
    expect(answer.expiresAt - Date.now()).toBeGreaterThan(290_000);
    expect(answer.expiresAt - Date.now()).toBeLessThanOrEqual(300_000);
  });

  it('seals a lease so that nobody but its recipient opens it', async () => {
    const [asker, other] = [await newRecipient(), await newRecipient()];
    const answer = await broker.lease(integrationId, { recipient: asker.jwk });
    if (answer.status !== 'granted') throw new Error(answer.error.message);
    await expect(other.open(answer.jwe)).rejects.toThrow();
    expect(JSON.stringify(answer)).not.toContain('canary');
  });

  it('leases for discovery without a call', async () => {
    expect(await broker.lease(integrationId, discovery)).toMatchObject({
      status: 'granted',
      authPath: 'static',
    });
  });

  it('grants nothing, openly, where the auth mode is none', async () => {
    const { jwk, open } = await newRecipient();
    const answer = await broker.lease(await broker.insertIntegration('none'), { recipient: jwk });
    if (answer.status !== 'granted') throw new Error(answer.error.message);
    expect(answer.authPath).toBe('none');
    expect(await open(answer.jwe)).toEqual({ headers: {}, env: {} });
  });

  it('leases the environment of a stdio child', async () => {
    const stdio = await broker.insertIntegration('headers', { env_names: ['API_KEY'] });
    await broker.put(stdio, { API_KEY: 'canary' }, { kind: 'env' });
    const { jwk, open } = await newRecipient();
    const answer = await broker.lease(stdio, { recipient: jwk });
    if (answer.status !== 'granted') throw new Error(answer.error.message);
    expect(await open(answer.jwe)).toEqual({ headers: {}, env: { API_KEY: 'canary' } });
  });

  it('refuses a call that was sealed with another key', async () => {
    const call = broker.sealedCall(integrationId, {}, 'another-seal-key-of-32-characters-or-more');
    expect(code(await broker.lease(integrationId, { call, caller: call.call.caller }))).toBe('forbidden');
  });

  it('refuses a sealed call whose content was changed', async () => {
    const { call, seal } = broker.sealedCall(await broker.insertIntegration('none'));
    const forged = { call: { ...call, integrationId }, seal };
    expect(code(await broker.lease(integrationId, { call: forged, caller: call.caller }))).toBe('forbidden');
  });

  it('refuses a valid call of another integration or caller', async () => {
    const { call, seal } = broker.sealedCall(await broker.insertIntegration('none'));
    expect(code(await broker.lease(integrationId, { call: { call, seal }, caller: call.caller }))).toBe(
      'forbidden',
    );
    const other = { ...call.caller, virtualKeyId: randomUUID() };
    expect(code(await broker.lease(call.integrationId, { call: { call, seal }, caller: other }))).toBe(
      'forbidden',
    );
  });

  it('shows another organization neither the credential nor that the integration exists', async () => {
    const orgId = await broker.insertOrganization(`other-${backend.kind}`);
    const caller = { ...broker.sealedCall(integrationId).call.caller, orgId };
    const call = broker.sealedCall(integrationId, { caller });
    expect(code(await broker.lease(integrationId, { orgId, call, caller }))).toBe('not_found');
    expect(code(await broker.lease(integrationId, { orgId, ...discovery }))).toBe('not_found');
    expect(code(await broker.lease(randomUUID(), { orgId, ...discovery }))).toBe('not_found');
  });

  it('leases a global integration’s own headers to every organization', async () => {
    const global = await broker.insertIntegration('headers', { scope: 'global', header_names: ['X-Key'] });
    await broker.put(global, { 'X-Key': 'global' });
    const orgId = await broker.insertOrganization(`reader-${backend.kind}`);
    const caller = { ...broker.sealedCall(global).call.caller, orgId };
    const call = broker.sealedCall(global, { caller });
    expect(code(await broker.lease(global, { orgId, call, caller }))).toBe('granted');
  });

  it('refuses a call past its deadline and a disabled integration', async () => {
    const late = broker.sealedCall(integrationId, { deadlineAt: Date.now() - 1 });
    expect(code(await broker.lease(integrationId, { call: late, caller: late.call.caller }))).toBe(
      'deadline_exceeded',
    );
    const disabled = await broker.insertIntegration('none', { enabled: false });
    expect(code(await broker.lease(disabled))).toBe('integration_unavailable');
  });

  it('refuses while values that the admin configured are missing', async () => {
    const missing = await broker.insertIntegration('headers', { header_names: ['X-Key'] });
    expect(code(await broker.lease(missing))).toBe('auth_context_unavailable');
  });

  it('refuses a recipient that is no key', async () => {
    const jwk = { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' } as const;
    expect(code(await broker.lease(integrationId, { recipient: jwk }))).toBe('invalid_request');
  });
});

describe('several brokers', () => {
  it('that start at once share one data key and one broker key, and all can read', async () => {
    const broker = await BrokerHarness.open();
    try {
      await Promise.all([broker.startBroker(), broker.startBroker(), broker.startBroker()]);
      const [counts] = await broker.sql.query<{ data: number; broker: number; shown: number }>(
        `SELECT (SELECT count(*) FROM vault.data_keys) AS data, (SELECT count(*) FROM vault.broker_keys) AS broker,
                (SELECT count(*) FROM broker.v_public_keys WHERE active) AS shown`,
      );
      expect(counts).toEqual({ data: 1, broker: 1, shown: 1 });
      const integrationId = await broker.insertIntegration('headers', { header_names: Object.keys(headers) });
      await broker.put(integrationId, headers);
      const answers = await Promise.all(Array.from({ length: 30 }, () => broker.lease(integrationId)));
      expect(new Set(answers.map(code))).toEqual(new Set(['granted']));
    } finally {
      await broker.close();
    }
  }, 60_000);
});
