import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  AgentDefinition,
  type CallerContext,
  DEFAULT_ORGANIZATION_ID,
  type ErrorInfo,
  queues,
  type RunState,
  terminalRunStates,
  type ToolCallJob,
  type ToolCallOutcome,
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
import type { z } from 'zod';
import { type FixedPorts, fixedPorts } from '../test-fixtures/fixed-ports.js';
import { AgentRunnerModule } from './agent-runner.module.js';
import { agentRunnerEnv, toAgentRunnerConfig } from './config.js';
import type { RunData } from './runs/run-data.js';
import { loadRun } from './runs/run-rows.js';
import { RunsService } from './runs/runs.service.js';

const sealKey = 'a-seal-key-for-tests-of-32-characters';
const integrationId = '00000000-0000-4000-8000-0000000000aa';

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
    'identity',
    'models',
  ];
  const folders = [...libs.map((name) => `libs/${name}`), 'apps/agent-runner'];
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
  readonly fixed: FixedPorts = { agents: [], tools: [], apiKey: '' };
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
    harness.fixed.apiKey = model.apiKey;
    harness.#ends.push(
      () => database.close(),
      () => own.destroy(),
      () => admin.destroy(),
      () => queue.close(),
      () => model.close(),
    );
    harness.#playDispatch();
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
      TEST_PREFIX: this.stores.prefix,
      ...overrides,
    };
  }

  async startRunner(overrides: Record<string, string> = {}): Promise<RunningService> {
    const parsed = toAgentRunnerConfig(agentRunnerEnv.parse(this.env(overrides)));
    const config = { ...parsed, queuePrefix: this.stores.prefix };
    const module = AgentRunnerModule.forRoot(config, fixedPorts(this.fixed));
    const service = await startService({ config: config.service, module });
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

  /** An agent that may use all tools of `up`, each by itself. */
  addAgent(overrides: Partial<z.input<typeof AgentDefinition>> = {}): AgentDefinition {
    const agent = AgentDefinition.parse({
      id: randomUUID(),
      orgId: this.orgId,
      slug: 'helper',
      name: 'Helper',
      instructions: 'Help.',
      model: {
        provider: 'openai_compatible',
        base_url: this.model.baseUrl,
        model: this.model.model,
        max_retries: 0,
      },
      grants: [{ mcp_client_name: 'up' }],
      execution: { default: 'auto_execute' },
      isActive: true,
      version: 1,
      ...overrides,
    });
    this.fixed.agents.push(agent);
    return agent;
  }

  /** Tools of the integration `up`, or of another. */
  addTools(names: readonly string[], slug = 'up'): void {
    for (const name of names)
      this.fixed.tools.push({
        outwardName: `${slug}_${name}`,
        tool: name,
        integrationId,
        integrationSlug: slug,
        wire: { name, inputSchema: { type: 'object' } },
        deadlineMs: null,
        execution: null,
      });
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
  async start(agent: AgentDefinition, text = 'go', more: Partial<Parameters<RunsService['start']>[0]> = {}) {
    return this.runs.start({ caller: this.caller(), agentId: agent.id, input: { text }, ...more });
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

  #playDispatch(): void {
    for (const queue of [queues.toolCallsInteractive, queues.toolCallsBackground])
      this.queue.consume(queue, (job) => this.#dispatch(job), { concurrency: 64 });
    const cancel = async ({ callId }: { callId: string }) => {
      this.cancellations.push(callId);
      return { status: 'done', state: 'running' } as const;
    };
    this.queue.consume(queues.toolCallCancellations, cancel, { concurrency: 4 });
  }

  async #dispatch(job: ToolCallJob): Promise<ToolCallOutcome> {
    const { callId } = job.sealed.call;
    const begun = await this.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'running', started_at = now() WHERE call_id = $1 AND status = 'accepted' RETURNING 1`,
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
