import { expect, it } from '@jest/globals';
import { defineTool, eventually, privateRedis, startFixtureUpstream, textResult } from '@switchyard/testing';
import { CatalogSyncHarness, impatient } from '../catalog-sync-harness-spec.js';

const named = (...names: string[]) => names.map((name) => defineTool(name, {}, () => textResult(name)));

it('makes up for changes of tools while the queue’s store was away and lost its data', async () => {
  const redis = await privateRedis();
  const harness = await CatalogSyncHarness.open({ kind: 'redis', url: () => redis.url });
  const upstream = await startFixtureUpstream({ tools: named('a') });
  await harness.startReplica(impatient);
  const id = await harness.insert(upstream.url);
  await harness.reaches(id, 'connected');
  const tools = async () =>
    (await harness.tools(id)).filter(({ enabled }) => enabled).map(({ name }) => name);
  const opened = () => upstream.requests.filter((method) => method === 'tools/list').length >= 2;
  await eventually(opened);

  await redis.kill();
  await upstream.setTools(named('b'));
  const again = await privateRedis({ port: redis.port });

  await eventually(async () => (await tools()).join() === 'b', { timeoutMs: 30_000 });
  expect((await harness.state(id)).state).toBe('connected');
  await harness.close();
  await again.stop();
  await upstream.close();
}, 90_000);
