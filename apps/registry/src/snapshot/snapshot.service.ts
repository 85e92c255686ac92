import { Injectable } from '@nestjs/common';
import { SnapshotStore } from '@switchyard/access';
import type { Snapshot } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { Log } from '@switchyard/service-kit';

const freshForMs = 5_000;

/** The rows that faces and workers decide by, for admins who ask what would be decided. Read when somebody asks. */
@Injectable()
export class SnapshotService {
  private readonly store: SnapshotStore;

  constructor(sql: Sql, log: Log) {
    this.store = new SnapshotStore({
      query: (statement, parameters) => sql.query(statement, parameters),
      onError: (err) => log.warn({ err }, 'the snapshot could not be read'),
    });
  }

  /** As of now: what an admin saved a moment ago is in it. */
  async newest(): Promise<Snapshot> {
    await this.store.refresh();
    if (this.store.ageMs() > freshForMs) throw new PlatformError('dependency_unavailable');
    return this.store.current();
  }
}
