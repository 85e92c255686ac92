import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type MessageOf, topics } from '@switchyard/contracts';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { bearer, until } from '../gateway-client-spec.js';
import { setFeatures } from '../gateway-features-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

type Wanted = MessageOf<typeof topics.resourcesWanted>['resources'];

const ofOne = 500;

describe('watched resources', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let keys: { id: string; key: string }[];
  const said: Wanted[] = [];
  const wanted = new Map<string, Wanted>();
  const open: AbortController[] = [];

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    await harness.queue.subscribe(topics.resourcesWanted, ({ replicaId, resources }) => {
      said.push(resources);
      wanted.set(replicaId, resources);
    });
    const up = await harness.addIntegration('up', [{ name: 'echo' }]);
    await setFeatures(harness, up, { resources: [{ uri: 'x:a', name: 'a' }] });
    keys = await Promise.all([1, 2, 3].map(() => harness.addKey()));
    gateway = await harness.startGateway();
  }, 120_000);
  afterAll(async () => {
    for (const one of open) one.abort();
    await harness.close();
  });

  it('are so many of one key, so many of one organization, and refused beyond, before anything is acknowledged', async () => {
    const [one, other, third] = keys.map(({ key }) => key);
    expect(await listen(one, uris(ofOne + 1, 'a'))).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(await wantedNow()).toHaveLength(0);
    expect(await listen(one, uris(ofOne, 'a'))).toMatchObject({ status: 200 });
    expect(await listen(one, uris(1, 'a'))).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(await listen(other, uris(ofOne, 'b'))).toMatchObject({ status: 200 });
    expect(await listen(third, uris(1, 'c'))).toMatchObject({ status: 429, code: 'rate_limited' });
    // What is watched already takes no more of the organization's room.
    expect(await listen(third, uris(1, 'a'))).toMatchObject({ status: 200 });
    await until(async () => expect(await wantedNow()).toHaveLength(2 * ofOne));
    expect(Math.max(...said.map(({ length }) => length))).toBeLessThan(ofOne);
    await legacyIsRefused(third ?? '');
    await leavesRoom(third ?? '');
  });

  it('have URIs of which a server could have thought', async () => {
    const long = [`sy.up+x:${'a'.repeat(2_048)}`];
    expect(await listen(keys[2]?.key, long)).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  it('are so many of a legacy session as fit into its memory', async () => {
    const client: any = await harness.legacyClient(gateway.mcpUrl, keys[2]?.key ?? '');
    const long = (n: number) => ({ uri: `sy.up+x:a0${'a'.repeat(2_000)}${n}` });
    const { key } = await harness.addKey();
    const other: any = await harness.legacyClient(gateway.mcpUrl, key);
    for (const leave of open.splice(0)) leave.abort();
    await until(() => client.subscribeResource(long(0)));
    const refused = async () => {
      for (let n = 1; n < 200; n++) await client.subscribeResource(long(n));
    };
    await expect(refused()).rejects.toMatchObject({ message: expect.stringContaining('too many subscr') });
    await client.subscribeResource(long(0));
    await client.unsubscribeResource(long(0));
    await client.subscribeResource(long(200));
    await other.subscribeResource(long(0));
  });

  async function legacyIsRefused(key: string): Promise<void> {
    const client: any = await harness.legacyClient(gateway.mcpUrl, key);
    await expect(client.subscribeResource({ uri: 'sy.up+x:c0' })).rejects.toMatchObject({
      message: expect.stringContaining('watches too many resources'),
    });
    await client.subscribeResource({ uri: 'sy.up+x:a1' });
  }

  async function leavesRoom(key: string): Promise<void> {
    open[0]?.abort();
    await until(async () => expect(await listen(key, uris(1, 'c'))).toMatchObject({ status: 200 }));
  }

  function uris(count: number, of: string): string[] {
    return Array.from({ length: count }, (_, n) => `sy.up+x:${of}${n}`);
  }

  async function wantedNow(): Promise<Wanted> {
    return [...wanted.values()].flat();
  }

  /** What opens stays open until the end of the test. */
  async function listen(key: string | undefined, resourceSubscriptions: string[]) {
    const leave = new AbortController();
    const method = 'subscriptions/listen';
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
      'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
    };
    const params = { notifications: { resourceSubscriptions }, _meta };
    const response = await fetch(gateway.mcpUrl, {
      method: 'POST',
      signal: leave.signal,
      headers: {
        ...bearer(key ?? ''),
        ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': method },
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const { status } = response;
    if (status !== 200) return { status, code: ((await response.json()) as { code?: string }).code };
    open.push(leave);
    return { status };
  }
});
