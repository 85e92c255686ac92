import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Client } from '@modelcontextprotocol/client';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { onBothQueueBackends } from '@switchyard/testing';
import { until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

onBothQueueBackends('list_changed', (backend) => {
  let harness: GatewayHarness;
  let gateways: TestGateway[];

  beforeAll(async () => {
    harness = await GatewayHarness.open(backend);
    gateways = await Promise.all([harness.startGateway(), harness.startGateway()]);
  }, 120_000);
  afterAll(() => harness.close());

  it('reaches the clients of both eras at every replica, and only those whose tools changed', async () => {
    const up = await harness.addIntegration('up', [{ name: 'one' }]);
    const { key } = await harness.addKey({ grants: { up: ['*'] } });
    const bystander = await harness.addKey({ grants: { up: ['one'] } });
    const concerned: string[] = [];
    const spared: string[] = [];
    for (const [at, { mcpUrl }] of gateways.entries()) {
      await listen(mcpUrl, key, (era) => concerned.push(`${era} at ${at}`));
      await listen(mcpUrl, bystander.key, (era) => spared.push(`${era} at ${at}`));
    }
    await harness.setTools(up, 'up', [{ name: 'one' }, { name: 'two' }]);
    await until(() =>
      expect(concerned.sort()).toEqual(['legacy at 0', 'legacy at 1', 'modern at 0', 'modern at 1']),
    );
    const client = await harness.legacyClient(gateways[1]?.mcpUrl ?? '', key);
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['up_one', 'up_two']);
    expect(spared).toEqual([]);
  });

  it('follows the registry: an integration that is disabled takes its tools away', async () => {
    const id = await harness.addIntegration('gone', [{ name: 'one' }]);
    const { key } = await harness.addKey({ grants: { gone: ['*'] } });
    const told: string[] = [];
    await listen(gateways[0]?.mcpUrl ?? '', key, (era) => told.push(era));
    await harness.sql.query('UPDATE registry.integrations SET enabled = false WHERE id = $1', [id]);
    await harness.registryChanged(id);
    await until(() => expect(told.sort()).toEqual(['legacy', 'modern']));
  });

  it('finds a change whose event was lost', async () => {
    const id = await harness.addIntegration('quiet', [{ name: 'one' }]);
    const { key } = await harness.addKey({ grants: { quiet: ['*'] } });
    const told: string[] = [];
    await listen(gateways[1]?.mcpUrl ?? '', key, (era) => told.push(era));
    await harness.sql.query('UPDATE registry.integrations SET enabled = false WHERE id = $1', [id]);
    await until(() => expect(told.sort()).toEqual(['legacy', 'modern']));
  });

  /** One client of each era, both listening. */
  async function listen(mcpUrl: string, key: string, onChange: (era: string) => void): Promise<void> {
    await until(async () => {
      const legacy = await harness.legacyClient(mcpUrl, key);
      expect((await legacy.listTools()).tools).not.toEqual([]);
      legacy.setNotificationHandler(ToolListChangedNotificationSchema, () => onChange('legacy'));
      const modern: Client = await harness.modernClient(mcpUrl, key);
      modern.setNotificationHandler('notifications/tools/list_changed', () => onChange('modern'));
      await modern.listen({ toolsListChanged: true });
      await until(() => expect(openStreams(mcpUrl)).resolves.toBeGreaterThan(0));
    });
  }

  async function openStreams(mcpUrl: string): Promise<number> {
    const gateway = gateways.find((candidate) => candidate.mcpUrl === mcpUrl);
    const text = await (await fetch(`http://127.0.0.1:${gateway?.service.opsPort}/metrics`)).text();
    return Number(/gateway_open_streams\{era="legacy"\} (\d+)/.exec(text)?.[1] ?? 0);
  }
});
