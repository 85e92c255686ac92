import { createPostgresBackend, Queue, withBackend } from 'bullmq';

type Store = { kind: 'redis' | 'postgres'; url(): string; prefix: string };

/** The queue as somebody else sees it who can write to the store, but has no seal key. */
export function rawQueue(
  { kind, url, prefix }: Store,
  name: string,
): Pick<Queue, 'add' | 'getJob' | 'upsertJobScheduler' | 'close'> {
  if (kind === 'redis') return new Queue(name, { connection: { url: url() }, prefix });
  const { Queue: PostgresQueue } = withBackend(createPostgresBackend);
  return new PostgresQueue(`${prefix}-${name}`, { connection: url() }) as unknown as Queue;
}
