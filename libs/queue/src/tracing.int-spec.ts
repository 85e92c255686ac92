import { expect, it } from '@jest/globals';
import { currentTraceparent, inSpan, startTracing } from '@switchyard/service-kit';
import { echoQueue } from '../test-fixtures/echo-queue.js';
import { onBothBackends } from '../test-fixtures/test-clients.js';

onBothBackends('a trace', (_backend, clients) => {
  it('goes on from the asker through the job to the handler, and through a job that was added again', async () => {
    const tracing = startTracing({ name: 'test' });
    const client = await clients.connect();
    const queue = echoQueue('traced');
    const seen: (string | undefined)[] = [];
    client.consume(
      queue,
      async ({ n }, context) => {
        seen.push(currentTraceparent());
        if (n > 0) return context.requeue({ n: n - 1 }, { delayMs: 0, jobId: `${context.correlationId}-r1` });
        return { n };
      },
      { concurrency: 1 },
    );
    const asked = await inSpan('ask', {}, async () => {
      await client.request(queue, { n: 1 }, { timeoutMs: 5_000 });
      return currentTraceparent();
    });
    const traces = [asked, ...seen].map((traceparent) => traceparent?.split('-')[1]);
    const spans = [asked, ...seen].map((traceparent) => traceparent?.split('-')[2]);
    expect(new Set(traces).size).toBe(1);
    expect(new Set(spans).size).toBe(3);
    await tracing();
  });
});
