import { randomUUID } from 'node:crypto';
import {
  type AuthMode,
  type CatalogSyncJob,
  type CatalogSyncOutcome,
  DEFAULT_ORGANIZATION_ID,
  type IntegrationState,
  type LastFailure,
  type LeaseAnswer,
  type LeaseRequest,
  type MessageOf,
  queues,
  topics,
  type Transport,
  type WireTool,
} from '@switchyard/contracts';
import { createDataSource, Sql } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { type RunningService, startService } from '@switchyard/service-kit';
import { eventually, testDatabase, type TestDatabase, type TestQueueBackend } from '@switchyard/testing';
import { CompactEncrypt, importJWK } from 'jose';
import { CatalogSyncModule } from './catalog-sync.module.js';
import { catalogSyncEnv, toCatalogSyncConfig } from './config.js';

const sealKey = 'a-seal-key-for-tests-of-32-characters';

export type StateRow = {
  state: IntegrationState;
  tool_count: number;
  last_failure: LastFailure | null;
  consecutive_failures: number;
  next_sync_at: Date | null;
  version: number;
  era: string | null;
  server_name: string | null;
};
export type ToolRow = {
  id: string;
  name: string;
  qualified_name: string;
  wire: WireTool;
  enabled: boolean;
  disabled_reason: string | null;
  last_seen_at: Date;
};

/** For tests of syncs alone: the watcher looks at the tables once and is then quiet. */
export const withoutWatcher = {
  CATALOG_SYNC_WATCH_TICK_MS: '10m',
  CATALOG_SYNC_WATCH_LEASE_MS: '1h',
  CATALOG_SYNC_HEALTH_INTERVAL_MS: '10m',
};
/** For tests of the watcher: everything within a test's patience. */
export const impatient = {
  CATALOG_SYNC_WATCH_TICK_MS: '100',
  CATALOG_SYNC_WATCH_LEASE_MS: '1s',
  CATALOG_SYNC_HEALTH_INTERVAL_MS: '300',
  CATALOG_SYNC_HEALTH_TIMEOUT_MS: '1s',
  CATALOG_SYNC_RECONNECT_BASE_MS: '200',
  CATALOG_SYNC_RECONNECT_CAP_MS: '500',
};

/** Real replicas over a real database and queue; the test plays registry, token broker and dispatch. */
export class CatalogSyncHarness {
  readonly orgId = DEFAULT_ORGANIZATION_ID;
  readonly news: MessageOf<typeof topics.catalogChanged>[] = [];
  private readonly replicas = new Set<RunningService>();

  private constructor(
    readonly database: TestDatabase,
    readonly queue: QueueClient,
    readonly sql: Sql,
    private readonly queueUrl: string,
    private readonly end: () => Promise<void>,
  ) {}

  static async open(backend: Pick<TestQueueBackend, 'kind' | 'url'>): Promise<CatalogSyncHarness> {
    const database = await testDatabase();
    const source = createDataSource({ url: database.adminUrl, schema: 'public', applicationName: 'test' });
    const admin = await source.initialize();
    const queueUrl = backend.kind === 'redis' ? backend.url() : database.urls.queue;
    const queue = await QueueClient.connect({ url: queueUrl, sealKey, service: 'test' });
    const harness = new CatalogSyncHarness(database, queue, new Sql(admin), queueUrl, async () => {
      await queue.close();
      await admin.destroy();
      await database.close();
    });
    await queue.subscribe(topics.catalogChanged, (news) => void harness.news.push(news));
    return harness;
  }

  /** The environment of a replica as its own process. */
  env(overrides: Record<string, string> = {}): Record<string, string> {
    return {
      LOG_LEVEL: 'fatal',
      SWITCHYARD_ENV: 'development',
      SWITCHYARD_SEAL_KEY: sealKey,
      QUEUE_URL: this.queueUrl,
      CATALOG_SYNC_DATABASE_URL: this.database.urls['catalog-sync'],
      SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true',
      CATALOG_SYNC_CONNECT_TIMEOUT_MS: '3s',
      CATALOG_SYNC_LIST_TIMEOUT_MS: '5s',
      ...overrides,
    };
  }

  async startReplica(overrides: Record<string, string> = {}): Promise<RunningService> {
    const config = toCatalogSyncConfig(catalogSyncEnv.parse(this.env(overrides)));
    const replica = await startService({ config: config.service, module: CatalogSyncModule.forRoot(config) });
    this.replicas.add(replica);
    return replica;
  }

  async stopReplica(replica: RunningService): Promise<void> {
    this.replicas.delete(replica);
    await replica.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.replicas].map((replica) => replica.close()));
    await this.end();
  }

  /** Registers an integration as the registry does, but for the sync that it would ask for. */
  async insert(
    where: string | Transport,
    columns: { auth_mode?: AuthMode; [column: string]: unknown } = {},
  ): Promise<string> {
    const id = randomUUID();
    const transport = typeof where === 'string' ? { type: 'http', url: where } : where;
    const row = {
      ...{
        id,
        organization_id: this.orgId,
        slug: `s-${id.slice(0, 8)}`,
        name: 'Test',
        scope: 'organization',
      },
      ...{ transport: JSON.stringify(transport), auth_mode: 'none', header_names: [], env_names: [] },
      ...{
        available_in_chat: true,
        available_to_autonomous: true,
        tool_overrides: '{}',
        sync_interval_seconds: 0,
      },
      ...{ auto_reconnect: true, enabled: true, retention: 'always', ...columns },
    };
    const names = Object.keys(row);
    await this.sql.query(
      `INSERT INTO registry.integrations (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
      Object.values(row),
    );
    await this.tell(id, 'created');
    return id;
  }

  /** Edits a registered integration. */
  async edit(id: string, assignments: string): Promise<void> {
    await this.sql.query(
      `UPDATE registry.integrations SET ${assignments}, version = version + 1 WHERE id = $1`,
      [id],
    );
    await this.tell(id, 'updated');
  }

  async delete(id: string): Promise<void> {
    await this.sql.query(`DELETE FROM registry.integrations WHERE id = $1`, [id]);
    await this.tell(id, 'deleted');
  }

  async sync(
    integrationId: string,
    reason: CatalogSyncJob['reason'] = 'manual',
  ): Promise<CatalogSyncOutcome> {
    return this.queue.request(
      queues.catalogSync,
      { v: 1, orgId: this.orgId, integrationId, reason },
      { timeoutMs: 20_000 },
    );
  }

  async state(id: string): Promise<StateRow> {
    const [row] = await this.sql.query<StateRow>(
      `SELECT * FROM catalog.v_integration_states WHERE integration_id = $1`,
      [id],
    );
    if (!row) throw new Error('the integration has no state yet');
    return row;
  }

  async tools(id: string): Promise<ToolRow[]> {
    return this.sql.query<ToolRow>(`SELECT * FROM catalog.v_tools WHERE integration_id = $1 ORDER BY name`, [
      id,
    ]);
  }

  async reaches(id: string, state: IntegrationState, timeoutMs = 10_000): Promise<StateRow> {
    return eventually(
      async () => {
        const row = await this.state(id);
        if (row.state !== state) throw new Error(`it is ${row.state}: ${JSON.stringify(row.last_failure)}`);
        return row;
      },
      { timeoutMs },
    );
  }

  /** Plays the token broker. */
  lend(answer: (request: LeaseRequest) => Promise<LeaseAnswer>): { close(): Promise<void> } {
    return this.queue.consume(queues.tokenLeases, answer, { concurrency: 4 });
  }

  private async tell(id: string, change: 'created' | 'updated' | 'deleted'): Promise<void> {
    await this.queue.publish(topics.registryChanged, {
      entity: 'integration',
      change,
      orgId: this.orgId,
      id,
    });
  }
}

/** The lease of these headers, as the broker would grant it. */
export async function grantHeaders(
  { recipient }: LeaseRequest,
  headers: Record<string, string>,
): Promise<LeaseAnswer> {
  const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify({ headers, env: {} })))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .encrypt(await importJWK(recipient, 'ECDH-ES'));
  const everybodys = { authPath: 'static', principal: 'integration', credential: 'static' } as const;
  return { status: 'granted', ...everybodys, jwe, expiresAt: Date.now() + 300_000 };
}
