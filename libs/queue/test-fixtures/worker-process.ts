/**
 * A worker as a process of its own, to be killed: takes jobs of the queue `echo` and never ends them, unless it is
 * told to answer. Run by Node as it is: arguments are the store's URL, the prefix, and `hang` or `answer`.
 */
import { QueueClient } from '@switchyard/queue';
import { echoQueue, testSealKey } from './echo-queue.ts';
import { testTimes } from './test-times.ts';

const [url = '', prefix = '', what = 'hang'] = process.argv.slice(2);
const client = await QueueClient.connect({
  url,
  prefix,
  sealKey: testSealKey,
  service: 'killed-worker',
  nextTime: testTimes,
});

client.consume(
  echoQueue(),
  async ({ n }, { jobId, redelivered }) => {
    process.send?.({ taken: jobId, redelivered });
    if (what === 'hang') await new Promise(() => undefined);
    return { n: n + 1 };
  },
  { concurrency: 8 },
);
process.send?.({ ready: true });
process.on('disconnect', () => process.exit(1));
