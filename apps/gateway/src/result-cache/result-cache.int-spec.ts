import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID, topics } from '@switchyard/contracts';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';
import { People } from '../gateway-people-spec.js';

const annotations = { readOnlyHint: true };
const overrides = {
  tool_overrides: JSON.stringify({ read: { cache_seconds: 600 }, write: { cache_seconds: 600 } }),
};

describe('the cache of results', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let people: People;
  let shared: string;
  let own: string;
  let key: string;
  let other: string;
  let ran = 0;
  let nextN = 0;

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    harness.work((job) => {
      const { arguments: args } = job;
      const result = { ...textResult(`${++ran}`), ...(args['fails'] === true && { isError: true }) };
      return Promise.resolve(completed(job, { ...result, _meta: { 'io.switchyard/cached': 'forged' } }));
    });
    const tools = [{ name: 'read', annotations }, { name: 'write' }];
    shared = await harness.addIntegration('shared', tools, { columns: overrides });
    own = await harness.addIntegration('own', tools, {
      columns: { ...overrides, auth_mode: 'authorization_code' },
    });
    await harness.addIntegration('exchanged', tools, {
      columns: { ...overrides, auth_mode: 'token_exchange' },
    });
    people = await People.join(harness);
    await people.addBrokerKey();
    await people.addPolicy({ shared: ['*'], own: ['*'], exchanged: ['*'] });
    ({ key } = await harness.addKey({ grants: { shared: ['*'] } }));
    ({ key: other } = await harness.addKey({ grants: { shared: ['*'] } }));
    gateway = await harness.startGateway({ GATEWAY_RESULT_CACHE_BYTES: '16000' });
  }, 120_000);
  afterAll(() => harness.close());
  beforeEach(() => void nextN++);

  it('repeats what a read-only tool gave, says how old it is, and asks the vendor once', async () => {
    const first = await call('shared_read');
    const again = await call('shared_read', other);
    expect(again.text).toBe(first.text);
    expect([first.cached, again.cached]).toEqual([undefined, { age_ms: expect.any(Number) }]);
    expect((await call('shared_read', key, { more: 1 })).text).not.toBe(first.text);
  });

  it('repeats no tool that writes, no failure, and no call that asks for the ledger', async () => {
    for (const [name, args, headers] of [
      ['shared_write', {}, {}],
      ['shared_read', { fails: true }, {}],
      ['shared_read', {}, { 'idempotency-key': 'a' }],
    ] as const) {
      const one = await call(name, key, args, headers);
      const two = await call(name, key, args, 'idempotency-key' in headers ? { 'idempotency-key': 'b' } : {});
      expect([two.text === one.text, two.cached]).toEqual([false, undefined]);
    }
  });

  it('keeps users apart where each calls as themself', async () => {
    const [ann, bob] = await Promise.all([people.tokenOf('ann'), people.tokenOf('bob')]);
    const first = await call('own_read', ann);
    expect((await call('own_read', bob)).text).not.toBe(first.text);
    expect((await call('own_read', ann)).text).toBe(first.text);
    const shares = await call('shared_read', ann);
    expect((await call('shared_read', bob)).text).toBe(shares.text);
  });

  it('keeps the tokens of a user apart where they are exchanged', async () => {
    const narrow = await people.tokenOf('ann', { scope: 'read' });
    const first = await call('exchanged_read', await people.tokenOf('ann'));
    const other = await call('exchanged_read', narrow);
    expect([other.cached, other.text === first.text]).toEqual([undefined, false]);
    expect((await call('exchanged_read', narrow)).text).toBe(other.text);
  });

  it('forgets what belongs to a credential or an integration that changed', async () => {
    const ann = await people.tokenOf('ann');
    const first = await call('own_read', ann);
    await harness.queue.publish(topics.credentialChanged, {
      ...{ orgId: DEFAULT_ORGANIZATION_ID, integrationId: own, userId: null, state: 'active' },
    });
    await until(async () => expect((await call('own_read', ann)).text).not.toBe(first.text));
    const before = await call('shared_read');
    await harness.sql.query('UPDATE registry.integrations SET version = version + 1 WHERE id = $1', [shared]);
    await harness.registryChanged(shared);
    await until(async () => expect((await call('shared_read')).text).not.toBe(before.text));
  });

  it('asks who may call each time', async () => {
    const { id, key: leaving } = await harness.addKey({ grants: { shared: ['*'] } });
    await call('shared_read', leaving);
    expect((await call('shared_read', leaving)).cached).toBeDefined();
    await harness.revokeKey(id);
    await until(async () => expect((await call('shared_read', leaving)).status).toBe(401));
  });

  it('holds no more than it may', async () => {
    const first = await call('shared_read', key, { at: 'first' });
    const filler = 'x'.repeat(2_000);
    for (let at = 0; at < 300; at++) await call('shared_read', key, { at, filler });
    expect((await call('shared_read', key, { at: 'first' })).text).not.toBe(first.text);
  });

  async function call(
    name: string,
    credential = key,
    args: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ) {
    const params = { name, arguments: { ...args, n: nextN } };
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
    const { status, body } = await rpc(gateway.mcpUrl, message, { ...bearer(credential), ...headers });
    const { content, _meta: meta } = body?.result ?? {};
    return { status, text: content?.[0]?.text, cached: meta?.['io.switchyard/cached'] };
  }
});
