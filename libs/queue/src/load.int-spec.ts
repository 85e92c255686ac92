import { expect, it } from '@jest/globals';
import { echoQueue } from '../test-fixtures/echo-queue.js';
import { onBothBackends } from '../test-fixtures/test-clients.js';

onBothBackends('32 askers at once, 200 requests each', (_backend, clients) => {
  it('lose none: each is answered, and nothing is left behind', async () => {
    const queue = echoQueue('load');
    const [asker, ...workers] = await Promise.all([clients.connect(), clients.connect(), clients.connect()]);
    for (const worker of workers) worker.consume(queue, async ({ n }) => ({ n: n + 1 }), { concurrency: 16 });
    const ask = async (n: number) =>
      expect(await asker.request(queue, { n }, { timeoutMs: 20_000 })).toEqual({ n: n + 1 });
    await Promise.all(
      Array.from({ length: 32 }, async () => {
        for (let n = 0; n < 200; n += 1) await ask(n);
      }),
    );
    expect(await asker.counts(queue)).toMatchObject({ waiting: 0, delayed: 0 });
  }, 120_000);
});
