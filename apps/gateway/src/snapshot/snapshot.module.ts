import { Global, Module } from '@nestjs/common';
import { SnapshotStore } from '@switchyard/access';
import { topics } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log, Readiness, Shutdown } from '@switchyard/service-kit';

/** Older than this, a snapshot may still honour what was revoked. */
const staleAfterMs = 5_000;

type Kit = { sql: Sql; queue: QueueClient; log: Log; readiness: Readiness; shutdown: Shutdown };

/** The registry and the catalog in memory, which every request is answered from; loaded before the first one. */
@Global()
@Module({
  providers: [
    {
      provide: SnapshotStore,
      inject: [Sql, QueueClient, Log, Readiness, Shutdown],
      // eslint-disable-next-line no-restricted-syntax -- injected, one argument per token
      useFactory: (sql: Sql, queue: QueueClient, log: Log, readiness: Readiness, shutdown: Shutdown) =>
        openStore({ sql, queue, log, readiness, shutdown }),
    },
  ],
  exports: [SnapshotStore],
})
export class SnapshotModule {}

async function openStore({ sql, queue, log, readiness, shutdown }: Kit): Promise<SnapshotStore> {
  const store = new SnapshotStore({
    query: (statement, parameters) => sql.query(statement, parameters ? [...parameters] : undefined),
    onError: (err) => log.error({ err }, 'the snapshot could not be refreshed'),
  });
  await queue.subscribe(topics.registryChanged, () => store.refresh('registry'));
  await queue.subscribe(topics.catalogChanged, ({ integrationId }) => store.refresh(integrationId));
  queue.onReconnect(() => void store.refresh());
  await store.start();
  readiness.add('snapshot', () => {
    if (store.ageMs() <= staleAfterMs) return Promise.resolve();
    return Promise.reject(new Error(`the snapshot is ${store.ageMs()} ms old`));
  });
  shutdown.onClose(() => store.close());
  return store;
}
