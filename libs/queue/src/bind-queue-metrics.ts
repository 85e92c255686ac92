import type { Metrics } from '@switchyard/service-kit';
import type { QueueMetrics } from './jobs/queue-metrics.js';
import type { QueueClient } from './queue-client.js';

/** Jobs by queue and end, how long they waited and ran, and those that were set aside, as Prometheus metrics. */
export function bindQueueMetrics(metrics: Metrics): QueueMetrics {
  const ended = metrics.counter({
    name: 'queue_jobs_total',
    help: 'Jobs that this process took, by end.',
    labelNames: ['queue', 'end'],
  });
  const rejected = metrics.counter({
    name: 'queue_jobs_rejected_total',
    help: 'Jobs set aside unread: forged or invalid.',
    labelNames: ['queue', 'why'],
  });
  const waited = metrics.histogram({
    name: 'queue_wait_seconds',
    help: 'From enqueue to taking.',
    labelNames: ['queue'],
  });
  const ran = metrics.histogram({
    name: 'queue_job_seconds',
    help: 'How long handlers ran.',
    labelNames: ['queue'],
  });
  return {
    jobTaken: (queue, waitedMs) => waited.observe({ queue: family(queue) }, Math.max(0, waitedMs) / 1_000),
    jobEnded: (queue, end, durationMs) => {
      ended.inc({ queue: family(queue), end });
      ran.observe({ queue: family(queue) }, durationMs / 1_000);
    },
    jobRejected: (queue, why) => rejected.inc({ queue: family(queue), why }),
  };
}

/** Depth and age of the queues that the client consumes, read at each scrape. */
export function watchDepth(metrics: Metrics, client: QueueClient): void {
  const age = metrics.gauge({
    name: 'queue_oldest_waiting_seconds',
    help: 'Age of the oldest waiting job.',
    labelNames: ['queue'],
  });
  metrics.gauge({
    name: 'queue_jobs',
    help: 'Jobs in the store, by state.',
    labelNames: ['queue', 'state'],
    async collect() {
      const depths = await readDepths(client);
      this.reset();
      age.reset();
      for (const [queue, depth] of depths) {
        for (const state of ['waiting', 'delayed', 'active'] as const)
          this.set({ queue, state }, depth[state]);
        age.set({ queue }, depth.oldestWaitingAgeMs / 1_000);
      }
    },
  });
}

type Depth = Awaited<ReturnType<QueueClient['counts']>>;

/** By family; while the store is away there is nothing to tell. */
async function readDepths(client: QueueClient): Promise<Map<string, Depth>> {
  const depths = new Map<string, Depth>();
  const read = await Promise.allSettled(
    client.consumed.map(async (queue) => [family(queue.name), await client.counts(queue)] as const),
  );
  for (const outcome of read) {
    if (outcome.status === 'rejected') continue;
    const [name, counts] = outcome.value;
    const sum = depths.get(name);
    depths.set(name, sum ? added(sum, counts) : counts);
  }
  return depths;
}

function added(a: Depth, b: Depth): Depth {
  return {
    waiting: a.waiting + b.waiting,
    delayed: a.delayed + b.delayed,
    active: a.active + b.active,
    oldestWaitingAgeMs: Math.max(a.oldestWaitingAgeMs, b.oldestWaitingAgeMs),
  };
}

/** The queues of stdio children share one label: one per integration would be too many. */
function family(queue: string): string {
  return queue.startsWith('stdio-') ? 'stdio' : queue;
}
