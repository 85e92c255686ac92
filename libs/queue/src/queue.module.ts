import type { DynamicModule } from '@nestjs/common';
import { Log, Metrics, Readiness, Shutdown } from '@switchyard/service-kit';
import { bindQueueMetrics, watchDepth } from './bind-queue-metrics.js';
import { QueueClient } from './queue-client.js';
import type { QueueClientOptions } from './queue-client-options.js';
import { Sealer } from './sealer.js';

type Options = Pick<QueueClientOptions, 'sealKey' | 'service' | 'prefix' | 'nextTime'> & {
  url: string | { reveal(): string };
};

/** Makes `QueueClient` and `Sealer` injectable everywhere, ready to use, and ends them with the service. */
export class QueueModule {
  static forRoot(options: Options): DynamicModule {
    const client = {
      provide: QueueClient,
      useFactory: (log: Log, metrics: Metrics, readiness: Readiness, shutdown: Shutdown) =>
        openClient(options, { log, metrics, readiness, shutdown }),
      inject: [Log, Metrics, Readiness, Shutdown],
    };
    const sealer = { provide: Sealer, useFactory: () => new Sealer(options.sealKey) };
    return { module: QueueModule, global: true, providers: [client, sealer], exports: [QueueClient, Sealer] };
  }
}

type Kit = { log: Log; metrics: Metrics; readiness: Readiness; shutdown: Shutdown };

async function openClient(options: Options, kit: Kit): Promise<QueueClient> {
  const client = await QueueClient.connect({
    ...options,
    url: typeof options.url === 'string' ? options.url : options.url.reveal(),
    onError: (err) => kit.log.warn({ err }, 'queue'),
    metrics: bindQueueMetrics(kit.metrics),
  });
  watchDepth(kit.metrics, client);
  kit.readiness.add('queue', () => client.ping());
  // Leaves the rest of the service time before its own hard limit (25 s).
  kit.shutdown.onStopTaking(() => client.stopConsuming({ limitMs: 18_000 }));
  kit.shutdown.onClose(() => client.close());
  return client;
}
