import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  AgentDefinition,
  type CallerContext,
  DEFAULT_ORGANIZATION_ID,
  type ErrorInfo,
  queues,
  type RunState,
  type SecretLeaseRequest,
  terminalRunStates,
  type ToolCallJob,
  type ToolCallOutcome,
  toolCallQueue,
  topics,
} from '@switchyard/contracts';
import { createDataSource, findLedgerCalls, ledgerOutcome, Sql } from '@switchyard/database';
import { type ModelScriptInput, type ScriptedModel, startScriptedModel } from '@switchyard/demo-model';
import { QueueClient } from '@switchyard/queue';
import { createLogger, type RunningService, startService } from '@switchyard/service-kit';
import {
  eventually,
  testDatabase,
  type TestDatabase,
  type TestQueueBackend,
  workspaceRoot,
} from '@switchyard/testing';
import { newWebhookKey } from '@switchyard/webhooks';
import { CompactEncrypt, importJWK } from 'jose';
import { v7 } from 'uuid';
import type { z } from 'zod';
import { AgentRunnerModule } from './agent-runner.module.js';
import { agentRunnerHttp } from './http/agent-runner-http.js';
import { agentRunnerEnv, toAgentRunnerConfig } from './config.js';
import type { RunData } from './runs/run-data.js';
import { loadRun } from './runs/run-rows.js';
import { RunsService } from './runs/runs.service.js';

const sealKey = 'a-seal-key-for-tests-of-32-characters';

/** What the tool does; an error is a call that failed. */
export type ToolAct = (job: ToolCallJob) => Promise<{ text: string } | { error: ErrorInfo }>;

/** Compiles what a runner is made of, for tests that run it as a process of its own. */
export function buildRunner(): void {
  const libs = [
    'contracts',
    'service-kit',
    'database',
    'queue',
    'access',
    'mcp-client',
    'models',
    'identity',
  ];
  const rules = ['schedules', 'webhooks', 'tool-arguments'];
  const folders = [...[...libs, ...rules].map((name) => `libs/${name}`), 'apps/agent-runner'];
  execFileSync(process.execPath, ['scripts/build.ts', ...folders], { cwd: workspaceRoot() });
}

/**
 * Real runners over a real database and queue, and a scripted model. The test plays dispatch at the other end of the
 * queues: it runs each call of the ledger once, behind the same fence.
 */
export class RunnerHarness {
  readonly orgId = DEFAULT_ORGANIZATION_ID;
  /** Calls that reached their tool, in order. */
  readonly sent: ToolCallJob[] = [];
  readonly cancellations: string[] = [];
  /** Of the vault, asked by runners. */
  readonly leases: SecretLeaseRequest[] = [];
  beforeLease: () => Promise<unknown> = async () => undefined;
  readonly webhookSecret = newWebhookKey();
  readonly #integrations = new Map<string, string>();
  readonly #ends: (() => Promise<unknown>)[] = [];
  readonly #running = new Set<RunningService>();
  act: ToolAct = async ({ sealed }) => ({ text: `${sealed.call.tool} ran` });

  private constructor(
    readonly database: TestDatabase,
    /** As the superuser. */
    readonly sql: Sql,
    readonly queue: QueueClient,
    readonly runs: RunsService,
    readonly model: ScriptedModel,
    private readonly stores: { queueUrl: string; prefix: string },
  ) {}

  static async open(backend: TestQueueBackend): Promise<RunnerHarness> {
    const database = await testDatabase();
    const connect = (url: string) =>
      createDataSource({ url, schema: 'public', applicationName: 'test' }).initialize();
    const admin = await connect(database.adminUrl);
    const own = await connect(database.urls['agent-runner']);
    const queueUrl = backend.kind === 'postgres' ? database.urls.queue : backend.url();
    const { prefix } = backend;
    const queue = await QueueClient.connect({ url: queueUrl, sealKey, service: 'test', prefix });
    const runs = new RunsService(new Sql(own), queue, createLogger('test', { level: 'silent' }));
    const model = await startScriptedModel({ turns: [] });
    const harness = new RunnerHarness(database, new Sql(admin), queue, runs, model, { queueUrl, prefix });
    harness.#ends.push(
      () => database.close(),
      () => own.destroy(),
      () => admin.destroy(),
      () => queue.close(),
      () => model.close(),
    );
    harness.#playDispatch();
    harness.#playBroker();
    return harness;
  }

  async close(): Promise<void> {
    for (const service of this.#running) await service.close();
    for (const end of this.#ends.reverse()) await end();
  }

  /** The environment of a runner as a process of its own. */
  env(overrides: Record<string, string> = {}): Record<string, string> {
    return {
      SWITCHYARD_ENV: 'development',
      LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'fatal',
      SWITCHYARD_SEAL_KEY: sealKey,
      QUEUE_URL: this.stores.queueUrl,
      AGENT_RUNNER_DATABASE_URL: this.database.urls['agent-runner'],
      SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true',
      AGENT_RUNNER_LEASE_MS: '1500',
      AGENT_RUNNER_SWEEP_TICK_MS: '100',
      AGENT_RUNNER_RECONCILE_MS: '500',
      TEST_PREFIX: this.stores.prefix,
      ...overrides,
    };
  }

  async startRunner(overrides: Record<string, string> = {}): Promise<RunningService> {
    const parsed = toAgentRunnerConfig(agentRunnerEnv.parse(this.env(overrides)));
    const config = { ...parsed, queuePrefix: this.stores.prefix };
    const module = AgentRunnerModule.forRoot(config);
    const service = await startService({ config: config.service, module, http: agentRunnerHttp });
    this.#running.add(service);
    return service;
  }

  async stopRunner(service: RunningService): Promise<void> {
    this.#running.delete(service);
    await service.close();
  }

  /** What the model says from now on, however often it is asked. */
  script(turns: ModelScriptInput['turns']): void {
    this.model.reset({ turns: turns.map((turn) => ({ times: 'any', ...turn })) });
  }

  /** An agent that may use all tools of `up`, each by itself, and with which everybody may chat. */
  async addAgent(overrides: Partial<z.input<typeof AgentDefinition>> = {}): Promise<AgentDefinition> {
    const id = randomUUID();
    const agent = AgentDefinition.parse({
      ...{ id, orgId: this.orgId, slug: `helper-${id}`, name: 'Helper', instructions: 'Help.' },
      model: {
        provider: 'openai_compatible',
        base_url: this.model.baseUrl,
        model: this.model.model,
        max_retries: 0,
      },
      grants: [{ mcp_client_name: 'up' }],
      execution: { default: 'auto_execute' },
      chatAccess: { everyone: true },
      ...{ hasModelKey: true, isActive: true, version: 1 },
      ...overrides,
    });
    await this.#insert('registry.agents', {
      ...{ id: agent.id, organization_id: agent.orgId, slug: agent.slug, name: agent.name },
      ...{ instructions: agent.instructions, model: agent.model, has_model_key: agent.hasModelKey },
      ...{ grants: JSON.stringify(agent.grants), execution: agent.execution, approval: agent.approval },
      ...{ chat_access: agent.chatAccess, max_depth: agent.maxDepth, tool_deadline_ms: agent.toolDeadlineMs },
      ...{ mixed_turn: agent.mixedTurn, unattended_approval: agent.unattendedApproval },
      ...{ agentic_mode: agent.agenticMode, is_active: agent.isActive, version: agent.version },
    });
    return agent;
  }

  /** A schedule of the agent, paused never and overlapping nothing unless `columns` say so; gives its id. */
  async addSchedule(agent: AgentDefinition, columns: Record<string, unknown>): Promise<string> {
    const id = randomUUID();
    await this.#insert('registry.agent_schedules', {
      ...{ id, organization_id: agent.orgId, agent_id: agent.id, name: 'nightly', input: 'go' },
      ...{ overlap: 'skip', catch_up: 'last', ...columns },
    });
    await this.#registryChanged('schedule', id);
    return id;
  }

  async changeSchedule(id: string, columns: { is_paused: boolean }): Promise<void> {
    const sql = 'UPDATE registry.agent_schedules SET is_paused = $2, active_since = now() WHERE id = $1';
    await this.sql.query(sql, [id, columns.is_paused]);
    await this.#registryChanged('schedule', id);
  }

  /** A webhook of the agent, with Standard Webhooks' signatures by `webhookSecret`; gives its id. */
  async addWebhook(agent: AgentDefinition, columns: Record<string, unknown> = {}): Promise<string> {
    const id = randomUUID();
    await this.#insert('registry.agent_webhooks', {
      ...{ id, organization_id: agent.orgId, agent_id: agent.id, name: 'tickets', input: 'go' },
      ...{ scheme: { scheme: 'standard', tolerance_s: 300 }, body_limit_bytes: 262_144, ...columns },
    });
    return id;
  }

  async #registryChanged(entity: 'schedule', id: string): Promise<void> {
    await this.queue.publish(topics.registryChanged, { entity, change: 'updated', orgId: this.orgId, id });
  }

  /** Another organization; gives its id. */
  async addOrganization(slug: string): Promise<string> {
    const id = randomUUID();
    await this.#insert('registry.organizations', { id, slug, name: slug });
    return id;
  }

  /** A row of the registry or the catalog, as its owner would write it. */
  async #insert(table: string, row: Record<string, unknown>): Promise<void> {
    const names = Object.keys(row);
    const values = names.map((_, at) => `$${at + 1}`);
    await this.sql.query(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${values.join(', ')})`,
      Object.values(row),
    );
  }

  /** Tools of the integration `up`, or of another, that is connected. */
  async addTools(
    names: readonly string[],
    slug = 'up',
    columns: Record<string, unknown> = {},
  ): Promise<string> {
    const id = randomUUID();
    this.#integrations.set(slug, id);
    await this.#insert('registry.integrations', {
      ...{ id, organization_id: this.orgId, slug, name: slug, scope: 'organization', auth_mode: 'none' },
      transport: { type: 'http', url: 'http://127.0.0.1:9/mcp' },
      ...{ header_names: [], env_names: [], available_in_chat: true, available_to_autonomous: true },
      ...{ tool_overrides: {}, sync_interval_seconds: 0, auto_reconnect: true, enabled: true },
      ...{ retention: 'always', ...columns },
    });
    const state = { integration_id: id, organization_id: this.orgId, state: 'connected', version: 1 };
    await this.#insert('catalog.integration_states', state);
    for (const name of names) {
      const wire = { name, inputSchema: { type: 'object' } };
      await this.#insert('catalog.external_mcp_tools', {
        ...{ id: v7(), integration_id: id, organization_id: this.orgId, name, wire },
        ...{ qualified_name: `${slug}.${name}`, input_schema: wire.inputSchema },
        wire_sha256: createHash('sha256').update(`${slug} ${name}`).digest('hex'),
      });
    }
    await this.sql.query('UPDATE catalog.version SET version = version + 1');
    return id;
  }

  caller(overrides: Partial<CallerContext> = {}): CallerContext {
    return {
      kind: 'user',
      orgId: this.orgId,
      userId: randomUUID(),
      virtualKeyId: null,
      runKind: 'chat',
      roles: [],
      hasSubjectToken: false,
      ...overrides,
    };
  }

  /** Begins a run; gives its id. */
  async start(
    agent: AgentDefinition | Promise<AgentDefinition>,
    text = 'go',
    more: Partial<Parameters<RunsService['start']>[0]> = {},
  ) {
    const { id: agentId } = await agent;
    return this.runs.start({ caller: this.caller(), agentId, input: { text }, ...more });
  }

  /** What a person decides, as dispatch records it. */
  async decide(callId: string, approved: boolean, reason = 'No.'): Promise<void> {
    const [row] = await this.sql.query<{ sealed: ToolCallJob['sealed']; arguments: object }>(
      `WITH decided AS (UPDATE dispatch.approvals SET state = $6, decided_at = now() WHERE call_id = $1 AND state = 'pending')
       UPDATE dispatch.tool_calls SET status = $2, error_code = $3, error_message = $4, ended_at = $5
       WHERE call_id = $1 AND status = 'awaiting_approval' RETURNING sealed, arguments`,
      approved
        ? [callId, 'queued', null, null, null, 'approved']
        : [callId, 'denied', 'approval_denied', reason, new Date(), 'denied'],
    );
    if (!row) throw new Error('the call does not wait');
    const { sealed } = row;
    const job = {
      v: 1,
      sealed,
      arguments: row.arguments,
      progress: false,
      round: 0,
      attempts: 0,
    } as ToolCallJob;
    if (approved) await this.queue.enqueue(toolCallQueue(sealed.call.lane), job, { jobId: callId });
    await this.queue.publish(topics.approvalDecided, { orgId: this.orgId, callId, runId: sealed.call.runId });
  }

  async data(runId: string): Promise<RunData> {
    const data = await loadRun(this.sql, this.orgId, runId);
    if (!data) throw new Error('there is no such run');
    return data;
  }

  /** Waits until the run is in this state; fails at once where it has ended in another. */
  async reaches(runId: string, state: RunState, timeoutMs = 20_000): Promise<RunData> {
    return eventually(
      async () => {
        const data = await this.data(runId);
        const { state: now, error } = data.run;
        if (now !== state) throw new Error(`it is ${now}: ${JSON.stringify(error)}`);
        return data;
      },
      { timeoutMs },
    );
  }

  async ended(runId: string, timeoutMs = 20_000): Promise<RunData> {
    return eventually(
      async () => {
        const data = await this.data(runId);
        if (!terminalRunStates.includes(data.run.state)) throw new Error(`it is ${data.run.state}`);
        return data;
      },
      { timeoutMs },
    );
  }

  #playBroker(): void {
    const lease = async (request: SecretLeaseRequest) => {
      const { recipient, kind } = request;
      this.leases.push(request);
      await this.beforeLease();
      const key = await importJWK(recipient, 'ECDH-ES');
      const content = kind === 'model_key' ? { api_key: this.model.apiKey } : { current: this.webhookSecret };
      const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify(content)))
        .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
        .encrypt(key);
      return { status: 'granted', jwe } as const;
    };
    this.queue.consume(queues.secretLeases, lease, { concurrency: 8 });
  }

  #playDispatch(): void {
    for (const queue of [queues.toolCallsInteractive, queues.toolCallsBackground])
      this.queue.consume(queue, (job) => this.#dispatch(job), { concurrency: 64 });
    const cancel = async ({ callId }: { callId: string }) => {
      this.cancellations.push(callId);
      await this.sql.query(
        `UPDATE dispatch.tool_calls SET status = 'cancelled', error_code = 'cancelled', ended_at = now()
         WHERE call_id = $1 AND status = 'awaiting_approval'`,
        [callId],
      );
      return { status: 'done', state: 'running' } as const;
    };
    this.queue.consume(queues.toolCallCancellations, cancel, { concurrency: 4 });
  }

  async #dispatch(job: ToolCallJob): Promise<ToolCallOutcome> {
    const { callId } = job.sealed.call;
    const begun = await this.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'running', started_at = now() WHERE call_id = $1 AND status IN ('accepted', 'queued') RETURNING 1`,
      [callId],
    );
    if (begun.length > 0) {
      this.sent.push(job);
      await this.#record(callId, await this.act(job));
    }
    return eventually(async () => {
      const [row] = await findLedgerCalls(this.sql, [callId]);
      const outcome = row && ledgerOutcome(row);
      if (!outcome) throw new Error('the call has not ended');
      return outcome;
    });
  }

  async #record(callId: string, end: Awaited<ReturnType<ToolAct>>): Promise<void> {
    const result = 'text' in end ? { content: [{ type: 'text', text: end.text }] } : null;
    const error = 'error' in end ? end.error : null;
    await this.sql.query(
      `UPDATE dispatch.tool_calls SET status = $2, ended_at = now(), result = $3::json, error_code = $4, error_message = $5,
         error_details = $6::jsonb WHERE call_id = $1`,
      [
        ...[callId, error ? 'failed' : 'completed', result && JSON.stringify(result)],
        ...[error?.code ?? null, error?.message ?? null, JSON.stringify(error?.details ?? null)],
      ],
    );
    await this.queue.publish(topics.toolCallEnded, { callId });
  }
}
