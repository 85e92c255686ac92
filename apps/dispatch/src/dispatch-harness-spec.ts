import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  type CallerContext,
  type CallResume,
  type ClientSide,
  DEFAULT_ORGANIZATION_ID,
  toolCallQueue,
  type ToolCall,
  type ToolCallJob,
  type ToolCallOutcome,
  type UpstreamMethod,
  type Transport,
  type WireTool,
} from '@switchyard/contracts';
import { createDataSource, Sql } from '@switchyard/database';
import { canonicalJson, QueueClient, sealToolCall, Sealer } from '@switchyard/queue';
import { startService, type RunningService } from '@switchyard/service-kit';
import {
  eventually,
  testDatabase,
  type TestDatabase,
  type TestQueueBackend,
  workspaceRoot,
} from '@switchyard/testing';
import { v7 as uuidv7 } from 'uuid';
import { dispatchEnv, type DispatchConfig } from './config.js';
import { DispatchModule } from './dispatch.module.js';

const sealKey = 'a-seal-key-for-tests-of-32-characters';

export type CallOptions = {
  lane?: 'interactive' | 'background';
  deadlineMs?: number;
  ledgerFirst?: boolean;
  keyId?: string;
  method?: UpstreamMethod;
  /** The upstream's own name or URI, where it does not follow from the outward one. */
  own?: string;
  client?: ClientSide;
  resume?: CallResume;
  runId?: string;
  /** Who calls, where it is not the key. */
  caller?: Partial<CallerContext>;
};

/** Real dispatch workers over a real database and queue, with the registry's and catalog's rows written by the test. */
export class DispatchHarness {
  readonly keyId = randomUUID();
  readonly sealer = new Sealer(sealKey);
  private readonly workers: RunningService[] = [];
  private readonly children: ChildProcess[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly queue: QueueClient,
    readonly sql: Sql,
    private readonly queueUrl: string,
    private readonly end: () => Promise<void>,
  ) {}

  static async open(backend: Pick<TestQueueBackend, 'kind' | 'url'>): Promise<DispatchHarness> {
    const database = await testDatabase();
    const admin = await createDataSource({
      url: database.adminUrl,
      schema: 'public',
      applicationName: 'test',
    }).initialize();
    const queueUrl = backend.kind === 'postgres' ? database.urls.queue : backend.url();
    const queue = await QueueClient.connect({ url: queueUrl, sealKey, service: 'test' });
    const harness = new DispatchHarness(database, queue, new Sql(admin), queueUrl, async () => {
      await queue.close();
      await admin.destroy();
      await database.close();
    });
    await harness.insertKey(harness.keyId);
    return harness;
  }

  async close(): Promise<void> {
    this.killSpawned();
    await Promise.all(this.workers.map((worker) => worker.close()));
    await this.end();
  }

  /** The environment of a worker as its own process. */
  env(overrides: Record<string, string> = {}): Record<string, string> {
    return {
      SWITCHYARD_ENV: 'development',
      LOG_LEVEL: 'fatal',
      SWITCHYARD_SEAL_KEY: sealKey,
      QUEUE_URL: this.queueUrl,
      DISPATCH_DATABASE_URL: this.database.urls.dispatch,
      SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true',
      ...overrides,
    };
  }

  async startWorker(overrides: Record<string, string> = {}): Promise<RunningService> {
    const config = dispatchEnv.parse(this.env(overrides)) as DispatchConfig;
    const worker = await startService({ config: config.service, module: DispatchModule.with(config) });
    this.workers.push(worker);
    return worker;
  }

  /** A worker as a process of its own, that can be paused and killed; from what was built last. */
  async spawnWorker(): Promise<ChildProcess> {
    const env = { ...this.env({ LOG_LEVEL: 'info' }), PATH: process.env['PATH'] };
    const child = spawn(process.execPath, ['apps/dispatch/dist/src/main.js'], { cwd: workspaceRoot(), env });
    this.children.push(child);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    await eventually(() => output.includes('"ready"'));
    return child;
  }

  killSpawned(): void {
    for (const child of this.children.splice(0)) child.kill('SIGKILL');
  }

  async insertKey(id: string, columns: { expires_at?: string } = {}): Promise<void> {
    await this.sql.query(
      `INSERT INTO registry.virtual_keys (id, organization_id, name, key_hash, mcp_configs, expires_at) VALUES ($1::uuid, $2, 'test', $1::text, $3, $4)`,
      [
        id,
        DEFAULT_ORGANIZATION_ID,
        JSON.stringify([
          { mcp_client_name: 'up', tools_to_execute: ['*'] },
          { mcp_client_name: 'limited', tools_to_execute: ['*'] },
        ]),
        columns.expires_at ?? null,
      ],
    );
  }

  /** Registers an integration with its tools, as registry and catalog-sync would have. */
  async insertIntegration(
    slug: string,
    transport: Transport,
    tools: WireTool[],
    columns: Record<string, unknown> = {},
  ): Promise<string> {
    const id = randomUUID();
    const row = {
      id,
      organization_id: DEFAULT_ORGANIZATION_ID,
      slug,
      name: slug,
      scope: 'organization',
      transport: JSON.stringify(transport),
      auth_mode: 'none',
      header_names: [],
      env_names: [],
      available_in_chat: true,
      available_to_autonomous: true,
      tool_overrides: '{}',
      sync_interval_seconds: 0,
      auto_reconnect: true,
      enabled: true,
      retention: 'always',
      ...columns,
    };
    const names = Object.keys(row);
    await this.sql.query(
      `INSERT INTO registry.integrations (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
      Object.values(row),
    );
    await this.sql.query(
      `INSERT INTO catalog.integration_states (integration_id, organization_id, state, tool_count, version) VALUES ($1, $2, 'connected', $3, 1)`,
      [id, DEFAULT_ORGANIZATION_ID, tools.length],
    );
    for (const tool of tools) {
      await this.sql.query(
        `INSERT INTO catalog.external_mcp_tools (id, integration_id, organization_id, name, qualified_name, input_schema, wire, wire_sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          uuidv7(),
          id,
          DEFAULT_ORGANIZATION_ID,
          tool.name,
          `${slug}.${tool.name}`,
          JSON.stringify(tool.inputSchema),
          JSON.stringify(tool),
          tool.name,
        ],
      );
    }
    await this.sql.query('UPDATE catalog.version SET version = version + 1');
    return id;
  }

  /** As catalog-sync would have listed them. */
  async insertFeatures(
    integrationId: string,
    kind: 'prompt' | 'resource' | 'resource_template',
    wires: Record<string, object>,
  ): Promise<void> {
    for (const [name, wire] of Object.entries(wires)) {
      await this.sql.query(
        `INSERT INTO catalog.features (id, integration_id, organization_id, kind, name, wire, wire_sha256, position)
         VALUES ($1, $2, $3, $4, $5, $6, $5, 0)`,
        [uuidv7(), integrationId, DEFAULT_ORGANIZATION_ID, kind, name, JSON.stringify(wire)],
      );
    }
    await this.sql.query(
      `UPDATE catalog.integration_states SET capabilities = '{"prompts":{},"resources":{}}', version = version + 1`,
    );
    await this.sql.query('UPDATE catalog.version SET version = version + 1');
  }

  job(
    integrationId: string,
    outwardName: string,
    args: Record<string, unknown> = {},
    options: CallOptions = {},
  ): ToolCallJob {
    const { lane = 'interactive', deadlineMs = 20_000, ledgerFirst = false, keyId = this.keyId } = options;
    const { method, client, resume } = options;
    const call: ToolCall = {
      v: 1,
      callId: uuidv7(),
      integrationId,
      ...(method && { method }),
      tool: options.own ?? outwardName.slice(outwardName.indexOf('_') + 1),
      outwardName,
      caller: {
        kind: 'service',
        orgId: DEFAULT_ORGANIZATION_ID,
        userId: null,
        virtualKeyId: keyId,
        runKind: lane === 'interactive' ? 'mcp' : 'async_api',
        roles: [],
        hasSubjectToken: false,
        ...options.caller,
      },
      lane,
      ledgerFirst,
      argumentsSha256: createHash('sha256').update(JSON.stringify(args)).digest('hex'),
      subjectTokenSha256: null,
      ...(resume && {
        resumeSha256: createHash('sha256').update(canonicalJson(resume)).digest('hex'),
      }),
      acceptedAt: Date.now(),
      deadlineAt: Date.now() + deadlineMs,
      runId: options.runId ?? null,
      requestId: null,
    };
    return {
      v: 1,
      sealed: sealToolCall(this.sealer, call),
      arguments: args,
      progress: true,
      ...(client && { client }),
      ...(resume && { resume }),
      round: 0,
      attempts: 0,
    };
  }

  /** Sends a job as a face does and waits for the outcome. */
  send(job: ToolCallJob, onEvent?: (event: unknown) => void): Promise<ToolCallOutcome> {
    const { callId, lane, deadlineAt } = job.sealed.call;
    const timeoutMs = Math.max(deadlineAt - Date.now(), 0) + 10_000;
    return this.queue.request(toolCallQueue(lane), job, { jobId: callId, timeoutMs, onEvent });
  }

  call(
    integrationId: string,
    outwardName: string,
    args: Record<string, unknown> = {},
    options: CallOptions = {},
  ): Promise<ToolCallOutcome> {
    return this.send(this.job(integrationId, outwardName, args, options));
  }

  /** Accepts a call as a face does, without making it a job. */
  async accept(job: ToolCallJob, status = 'accepted', idempotencyKey: string | null = null) {
    const [row] = await this.sql.query<{ call_id: string; existing: boolean; conflict: boolean }>(
      'SELECT * FROM dispatch.accept_call($1, $2, $3, $4, $5, $6, $7, $8)',
      [
        JSON.stringify(job.sealed),
        JSON.stringify(job.arguments),
        null,
        false,
        status,
        idempotencyKey,
        job.sealed.call.argumentsSha256,
        JSON.stringify({ integration_slug: 'up', resume: job.resume }),
      ],
    );
    return row;
  }

  async row(callId: string): Promise<Record<string, unknown> | undefined> {
    return (await this.sql.query('SELECT * FROM dispatch.v_calls WHERE call_id = $1', [callId]))[0];
  }

  /** The row of a call, once it has ended. */
  ended(callId: string): Promise<Record<string, unknown>> {
    return eventually(async () => {
      const row = await this.row(callId);
      return row?.['ended_at'] ? row : undefined;
    });
  }
}
