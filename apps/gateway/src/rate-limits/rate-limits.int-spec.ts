import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import { onBothQueueBackends } from '@switchyard/testing';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';
import { People } from '../gateway-people-spec.js';

onBothQueueBackends('rate limits', (backend) => {
  let harness: GatewayHarness;
  let gateways: TestGateway[];
  let people: People;

  beforeAll(async () => {
    harness = await GatewayHarness.open(backend);
    harness.work((job) => Promise.resolve(completed(job, textResult('ran'))));
    await harness.addIntegration('up', [{ name: 'echo' }]);
    people = await People.join(harness);
    await people.addPolicy({ up: ['*'] });
    gateways = await Promise.all([harness.startGateway(), harness.startGateway()]);
  }, 120_000);
  afterAll(() => harness.close());

  it('count a key’s calls over all replicas and faces, and leave other keys alone', async () => {
    const limited = await limitedKey(3);
    const other = await harness.addKey();
    await until(async () => expect((await toolsOf(limited)).length).toBe(1));
    expect(await statuses(limited, 5)).toEqual([200, 200, 200, 429, 429]);
    const refused = await executeAt(1, limited);
    expect(refused.body).toMatchObject({ code: 'rate_limited', details: { limit: 3, interval_ms: 60_000 } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
    const byMcp = await rpc(
      gateways[0]?.mcpUrl ?? '',
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'up_echo' } },
      bearer(limited),
    );
    expect([byMcp.status, byMcp.body.result.isError, byMcp.body.result.structuredContent]).toMatchObject([
      ...[200, true, { code: 'rate_limited', retry_after_ms: expect.any(Number) }],
    ]);
    const byAsync = await rpc(`${gateways[1]?.url}/api/tool-calls`, { tool: 'up_echo' }, bearer(limited));
    expect(byAsync.status).toBe(429);
    expect(await toolsOf(limited)).toHaveLength(1);
    expect(await statuses(other.key, 4)).toEqual([200, 200, 200, 200]);
  });

  it('begin anew after their interval', async () => {
    const limited = await limitedKey(1, 1_000);
    await until(async () => expect((await toolsOf(limited)).length).toBe(1));
    expect(await statuses(limited, 2)).toEqual([200, 429]);
    await until(async () => expect((await executeAt(0, limited)).status).toBe(200));
  });

  it('count each user of an organization for themself, and follow what an admin changes', async () => {
    const [ann, bob] = await Promise.all([people.tokenOf('ann'), people.tokenOf('bob')]);
    await setUserLimit({ limit: 2, interval_ms: 60_000 });
    await until(async () => expect((await executeAt(0, ann)).status).toBe(429));
    expect(await statuses(bob, 3)).toEqual([200, 200, 429]);
    await setUserLimit(null);
    await until(async () => expect((await executeAt(0, ann)).status).toBe(200));
  });

  async function limitedKey(limit: number, intervalMs = 60_000): Promise<string> {
    const { id, key } = await harness.addKey();
    await harness.sql.query('UPDATE registry.virtual_keys SET rate_limit = $2 WHERE id = $1', [
      id,
      JSON.stringify({ limit, interval_ms: intervalMs }),
    ]);
    await harness.registryChanged(id);
    await until(async () => {
      const rows = await harness.sql.query('SELECT 1 FROM registry.v_virtual_keys WHERE id = $1', [id]);
      expect(rows).toHaveLength(1);
    });
    return key;
  }

  async function setUserLimit(limit: object | null): Promise<void> {
    await harness.sql.query('UPDATE registry.organizations SET user_rate_limit = $2 WHERE id = $1', [
      ...[DEFAULT_ORGANIZATION_ID, limit && JSON.stringify(limit)],
    ]);
    await harness.registryChanged(DEFAULT_ORGANIZATION_ID);
  }

  function executeAt(at: number, credential: string) {
    const call = { id: 'c1', type: 'function', function: { name: 'up_echo', arguments: '{}' } };
    return rpc(`${gateways[at]?.url}/v1/mcp/tool/execute`, call, bearer(credential));
  }

  async function statuses(credential: string, count: number): Promise<number[]> {
    const answers: number[] = [];
    for (let at = 0; at < count; at++) answers.push((await executeAt(at % 2, credential)).status);
    return answers;
  }

  async function toolsOf(credential: string): Promise<unknown[]> {
    const answer = await fetch(`${gateways[0]?.url}/v1/mcp/tools`, { headers: bearer(credential) });
    return ((await answer.json()) as { tools: unknown[] }).tools;
  }
});
