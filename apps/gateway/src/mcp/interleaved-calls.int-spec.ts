import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { onBothQueueBackends } from '@switchyard/testing';
import { bearer, completed, rpc, textResult } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

/** 10,000 with SWITCHYARD_TEST_FULL. */
const calls = process.env['SWITCHYARD_TEST_FULL'] ? 10_000 : 1_000;
const inFlight = 50;

onBothQueueBackends('interleaved calls', (backend) => {
  let harness: GatewayHarness;
  let gateways: TestGateway[];

  beforeAll(async () => {
    harness = await GatewayHarness.open(backend);
    harness.work(async (job) => {
      await delay(Math.random() * 10);
      const { virtualKeyId } = job.sealed.call.caller;
      return completed(job, textResult(`${virtualKeyId} ${String(job.arguments['n'])}`));
    });
    await harness.addIntegration('up', [{ name: 'echo' }]);
    gateways = await Promise.all([harness.startGateway(), harness.startGateway()]);
  }, 120_000);
  afterAll(() => harness.close());

  it('of two keys with equal JSON-RPC ids each answer their asker', async () => {
    const keys = [await harness.addKey(), await harness.addKey()];
    const sessions = await Promise.all(keys.map(({ key }) => openSession(key)));
    const wrong: unknown[] = [];
    let next = 0;
    const client = async (): Promise<void> => {
      for (let n = next++; n < calls; n = next++) {
        const who = n % 2;
        const id = Math.floor(n / 2) % 10;
        const params = { name: 'up_echo', arguments: { n } };
        const message = { jsonrpc: '2.0', id, method: 'tools/call', params };
        const answer = await rpc(gateways[n % gateways.length]?.mcpUrl ?? '', message, sessions[who]);
        const text = answer.body.result?.content?.[0]?.text;
        if (answer.body.id !== id || text !== `${keys[who]?.id} ${n}`)
          wrong.push({ n, who, answer: answer.body });
      }
    };
    await Promise.all(Array.from({ length: inFlight }, client));
    expect(wrong).toEqual([]);
  }, 120_000);

  async function openSession(key: string): Promise<Record<string, string>> {
    const params = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'x', version: '1' },
    };
    for (;;) {
      const message = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
      const opened = await Promise.all(gateways.map(({ mcpUrl }) => rpc(mcpUrl, message, bearer(key))));
      const id = opened[0]?.headers.get('mcp-session-id');
      if (id && opened.every(({ status }) => status === 200)) return { ...bearer(key), 'mcp-session-id': id };
    }
  }
});
