import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { calmMsOf, privateRedis } from '@switchyard/testing';
import { httpTransport, RegistryUnderTest } from '../../test-fixtures/registry-under-test.js';

let redis: Awaited<ReturnType<typeof privateRedis>>;
let registry: RegistryUnderTest;
beforeAll(async () => {
  redis = await privateRedis();
  registry = await RegistryUnderTest.start({ queueUrl: redis.url });
}, 120_000);
afterAll(async () => {
  await registry.close();
  await redis.stop();
}, 60_000);

describe('while the queue is away', () => {
  it('what needs it is refused and leaves nothing behind; all else is committed', async () => {
    const { id } = await registry.integration({ slug: 'before' });
    await redis.kill();
    const secret = await registry.post('/api/integrations', {
      slug: 'secret',
      transport: httpTransport,
      headers: { A: 'b' },
    });
    expect(secret).toMatchObject({ status: 503, body: { code: 'queue_unavailable' } });
    expect((await registry.post(`/api/integrations/${id}/sync`)).status).toBe(503);
    expect((await registry.post(`/api/integrations/${id}/breaker/reset`)).status).toBe(503);
    const slugs = (await registry.get('/api/integrations')).body.items.map(
      (one: { slug: string }) => one.slug,
    );
    expect(slugs).toEqual(['before']);
    expect((await registry.patch(`/api/integrations/${id}`, { name: 'Changed' })).body.name).toBe('Changed');
    expect((await registry.post('/api/virtual-keys', { name: 'ci' })).status).toBe(201);
    const waitedMs = await calmMsOf(async () => {
      expect((await registry.get('/api/users', 'wrong-key')).status).toBe(401);
    });
    // The audit event waits for the queue, three seconds; whoever was refused does not.
    expect(waitedMs).toBeLessThan(1_000);
  }, 60_000);
});
