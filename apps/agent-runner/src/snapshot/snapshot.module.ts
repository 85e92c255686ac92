import { Global, Module } from '@nestjs/common';
import { SnapshotStore } from '@switchyard/access';
import { topics } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { type Kit, Log, Readiness, Shutdown } from '@switchyard/service-kit';

/** Older than this, a snapshot may still plan what was revoked. */
const staleAfterMs = 15_000;

type Parts = Pick<Kit, 'log' | 'readiness' | 'shutdown'>;

/** Registry and catalog in memory, by which runs are planned. */
@Global()
@Module({
  providers: [
    {
      provide: SnapshotStore,
      inject: [Sql, QueueClient, Log, Readiness, Shutdown],
      useFactory: (...[sql, queue, log, readiness, shutdown]: [Sql, QueueClient, Log, Readiness, Shutdown]) =>
        openStore(sql, queue, { log, readiness, shutdown }),
    },
  ],
  exports: [SnapshotStore],
})
export class SnapshotModule {}

async function openStore(
  sql: Sql,
  queue: QueueClient,
  { log, readiness, shutdown }: Parts,
): Promise<SnapshotStore> {
  const store = new SnapshotStore({
    query: (text, params) => sql.query(text, params),
    onError: (err) => log.warn({ err }, 'the snapshot was not refreshed'),
  });
  await queue.subscribe(topics.registryChanged, () => store.refresh('registry'));
  await queue.subscribe(topics.catalogChanged, ({ integrationId }) => store.refresh(integrationId));
  queue.onReconnect(() => void store.refresh('all'));
  await store.start();
  readiness.add('snapshot', async () => {
    if (store.ageMs() > staleAfterMs) throw new Error('the snapshot of registry and catalog is stale');
  });
  shutdown.onClose(() => store.close());
  return store;
}
