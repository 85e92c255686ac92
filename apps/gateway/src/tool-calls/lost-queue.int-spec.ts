import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { queues } from '@switchyard/contracts';
import { privateRedis, testPrefix } from '@switchyard/testing';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';

describe('a queue store that goes away', () => {
  let redis: Awaited<ReturnType<typeof privateRedis>>;
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let key: string;

  beforeAll(async () => {
    redis = await privateRedis();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => redis.url });
    await harness.addIntegration('up', [{ name: 'echo' }]);
    ({ key } = await harness.addKey());
    gateway = await harness.startGateway({ GATEWAY_CALL_DEADLINE: '20s' });
  }, 120_000);
  afterAll(async () => {
    await harness.close();
    await redis.stop();
  });

  it('and comes back without its data does not lose the calls that wait for an answer', async () => {
    const answer = call();
    await until(async () =>
      expect((await harness.queue.counts(queues.toolCallsInteractive)).waiting).toBe(1),
    );
    await redis.kill();
    redis = await privateRedis({ port: redis.port });
    harness.work((job) => Promise.resolve(completed(job, textResult('after all'))));
    expect((await answer).body.result.content).toEqual([{ type: 'text', text: 'after all' }]);
  });

  it('fails calls that nobody can have taken, keeps what was accepted, and lists tools all the same', async () => {
    await redis.kill();
    await until(async () => expect((await ready()).status).toBe(503));
    const failed = await call();
    expect(failed.body.result).toMatchObject({
      isError: true,
      structuredContent: { code: 'queue_unavailable' },
    });
    const accepted = await rpc(`${gateway.url}/api/tool-calls`, { tool: 'up_echo' }, bearer(key));
    expect(accepted).toMatchObject({ status: 202, body: { status: 'accepted' } });
    const read = await fetch(`${gateway.url}/api/tool-calls/${accepted.body.call_id}`, {
      headers: bearer(key),
    });
    expect(await read.json()).toMatchObject({ status: 'accepted', tool: 'up_echo' });
    const list = await rpc(gateway.mcpUrl, { jsonrpc: '2.0', id: 1, method: 'tools/list' }, bearer(key));
    expect(list.body.result.tools).toHaveLength(1);
    redis = await privateRedis({ port: redis.port });
    await until(async () => expect((await call()).body.result.isError).toBeUndefined());
  });

  function ready(): Promise<Response> {
    return fetch(`http://127.0.0.1:${gateway.service.opsPort}/readyz`);
  }

  function call() {
    const params = { name: 'up_echo', arguments: {} };
    return rpc(gateway.mcpUrl, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, bearer(key));
  }
});
