import { createHash, randomUUID } from 'node:crypto';
import { executionPolicy, findTool, SnapshotStore } from '@switchyard/access';
import {
  type ApprovalDecision,
  type ApprovalDecisionAnswer,
  ApprovalTerms,
  type AuditEvent,
  type CallerContext,
  DEFAULT_ORGANIZATION_ID,
  queues,
  type ToolCallJob,
  type UserRecord,
  type UserRecordAnswer,
  type WireTool,
} from '@switchyard/contracts';
import { acceptCall } from '@switchyard/database';
import {
  eventually,
  type FixtureUpstream,
  startFixtureUpstream,
  testAudience,
  type TestQueueBackend,
  TokenIssuer,
} from '@switchyard/testing';
import { type CallOptions, DispatchHarness } from '../dispatch-harness-spec.js';
import { DispatchRuntime } from '../dispatch.runtime.js';
import type { ApprovalsService } from './approvals.service.js';

export const operatorKey = 'the-operators-key';

export type Asked = CallOptions & {
  integrationId?: string;
  args?: Record<string, unknown>;
  terms?: Partial<ApprovalTerms>;
  /** How long it may wait. */
  expiresMs?: number;
  /** Milliseconds that it has once it is approved. */
  runMs?: number;
  idempotencyKey?: string;
};
export type Answer = {
  status: number;
  body: Record<string, unknown> & { items?: Record<string, unknown>[] };
};

/** Dispatch with a real upstream, people who sign in at a real identity provider, and an audit log that a test reads. */
export class ApprovalsBench {
  readonly users = new Map<string, string>();
  readonly audited: AuditEvent[] = [];
  integrationId = '';
  url = '';
  #approvals: ApprovalsService | undefined;

  private constructor(
    readonly harness: DispatchHarness,
    readonly upstream: FixtureUpstream,
    private readonly issuer: TokenIssuer,
    private readonly snapshots: SnapshotStore,
  ) {}

  static async open(backend: TestQueueBackend): Promise<ApprovalsBench> {
    const harness = await DispatchHarness.open(backend);
    const upstream = await startFixtureUpstream();
    const issuer = await TokenIssuer.start();
    const snapshots = new SnapshotStore({ query: (text, params) => harness.sql.query(text, params) });
    const bench = new ApprovalsBench(harness, upstream, issuer, snapshots);
    bench.integrationId = await bench.addIntegration('up');
    await bench.trust(DEFAULT_ORGANIZATION_ID, testAudience);
    await bench.allowEverybody(DEFAULT_ORGANIZATION_ID);
    await snapshots.start();
    harness.queue.consume(queues.userRecords, (record) => bench.recordOf(record), { concurrency: 4 });
    harness.queue.consume(
      queues.auditRecords,
      async ({ events }) => ({ written: bench.audited.push(...events) && events.length }),
      { concurrency: 4 },
    );
    return bench;
  }

  async close(): Promise<void> {
    await this.snapshots.close();
    await this.harness.close();
    await this.upstream.close();
    await this.issuer.close();
  }

  async startWorker(): Promise<void> {
    const sha256 = createHash('sha256').update(operatorKey).digest('hex');
    const worker = await this.harness.startWorker({ DISPATCH_ADMIN_KEY_SHA256: sha256 });
    this.url = `http://127.0.0.1:${worker.httpPort}`;
    this.#approvals = worker.app.get(DispatchRuntime).approvals;
  }

  /** What a worker of the test does when it takes a decision. */
  get approvals(): ApprovalsService {
    if (!this.#approvals) throw new Error('no worker was started');
    return this.#approvals;
  }

  addIntegration(slug: string, columns: Record<string, unknown> = {}): Promise<string> {
    const tools = this.upstream.tools().map(({ wire }) => wire as WireTool);
    return this.harness.insertIntegration(slug, { type: 'http', url: this.upstream.url }, tools, columns);
  }

  async addOrganization(slug: string, adminKey: string): Promise<string> {
    const id = randomUUID();
    await this.harness.sql.query('INSERT INTO registry.organizations (id, slug, name) VALUES ($1, $2, $2)', [
      id,
      slug,
    ]);
    await this.harness.sql.query(
      'INSERT INTO registry.admin_keys (organization_id, key_hash) VALUES ($1, $2)',
      [id, createHash('sha256').update(adminKey).digest('hex')],
    );
    await this.trust(id, slug);
    return id;
  }

  /** A token of somebody of the organization whose provider has this audience. */
  tokenOf(subject: string, roles: string[] = [], audience = testAudience): Promise<string> {
    return this.issuer.sign({ claims: { sub: subject, roles, aud: audience } });
  }

  /** The user, as the registry knows them from their first request. */
  async userId(subject: string): Promise<string> {
    await this.send('GET', '/api/approvals', await this.tokenOf(subject));
    return this.users.get(subject) ?? '';
  }

  async callerOf(subject: string): Promise<Partial<CallerContext>> {
    return { kind: 'user', userId: await this.userId(subject), virtualKeyId: null, runKind: 'mcp' };
  }

  /** Accepts a call as a face does that has to ask a person first. Gives the job that it made. */
  async ask(outwardName: string, asked: Asked = {}): Promise<ToolCallJob> {
    const { args = {}, terms = {}, expiresMs = 600_000, runMs = 20_000, idempotencyKey, ...options } = asked;
    const { harness } = this;
    const job = harness.job(options.integrationId ?? this.integrationId, outwardName, args, {
      ...options,
      ledgerFirst: true,
      deadlineMs: expiresMs,
    });
    const approval = {
      policyVersion: await this.versionOf(job),
      deadlineMs: runMs,
      terms: ApprovalTerms.parse(terms),
    };
    const idempotency =
      idempotencyKey === undefined ? undefined : { key: idempotencyKey, digest: 'd', ttlMs: 60_000 };
    const accepted = { job, integrationSlug: outwardName.split('_')[0] ?? '' };
    await acceptCall(harness.sql, accepted, { status: 'awaiting_approval', approval, idempotency });
    return job;
  }

  decide(
    job: ToolCallJob,
    decision: Partial<ApprovalDecision> & Pick<ApprovalDecision, 'decider'>,
  ): Promise<ApprovalDecisionAnswer> {
    const { callId, caller } = job.sealed.call;
    const whole = {
      ...{ v: 1 as const, orgId: caller.orgId, callId, approved: true, reason: null, argumentsSha256: null },
      ...decision,
    };
    return this.harness.queue.request(queues.approvalDecisions, whole, { timeoutMs: 30_000 });
  }

  async send(method: string, path: string, credential: string | null, body?: object): Promise<Answer> {
    const answer = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        ...(credential !== null && { authorization: `Bearer ${credential}` }),
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Answer['body'] };
  }

  approve(job: ToolCallJob, credential: string, body: object = {}): Promise<Answer> {
    return this.send('POST', `/api/approvals/${job.sealed.call.callId}/approve`, credential, body);
  }

  deny(job: ToolCallJob, credential: string, body: object = {}): Promise<Answer> {
    return this.send('POST', `/api/approvals/${job.sealed.call.callId}/deny`, credential, body);
  }

  ended(job: ToolCallJob): Promise<Record<string, unknown>> {
    return this.harness.ended(job.sealed.call.callId);
  }

  async standing(job: ToolCallJob): Promise<Record<string, unknown> | undefined> {
    const [row] = await this.harness.sql.query(
      `SELECT a.state, a.decided_by_kind, a.decided_by, a.reason, c.status, c.error_code, c.started_at, c.subject_token, c.arguments
       FROM dispatch.approvals a JOIN dispatch.tool_calls c USING (call_id) WHERE call_id = $1`,
      [job.sealed.call.callId],
    );
    return row;
  }

  /** What the audit log has heard of the call, once it has heard so much. */
  auditOf(job: ToolCallJob, least: number): Promise<AuditEvent[]> {
    return eventually(() => {
      const events = this.audited.filter(({ callId }) => callId === job.sealed.call.callId);
      return events.length >= least && events;
    });
  }

  timesRun(id: string): number {
    return this.upstream.calls.filter(({ arguments: args }) => args['id'] === id).length;
  }

  private async versionOf({ sealed: { call } }: ToolCallJob): Promise<string> {
    await this.snapshots.refresh();
    const resolved = findTool(this.snapshots.current(), call.caller, call.outwardName);
    if (!resolved) throw new Error(`${call.outwardName} is not there for the caller`);
    return executionPolicy(this.snapshots.current(), call.caller, resolved).version;
  }

  private async trust(orgId: string, audience: string): Promise<void> {
    await this.harness.sql.query(
      `INSERT INTO registry.identity_providers (id, organization_id, name, issuer, audience, client_id, jwks_uri, scopes,
         roles_claim, admin_roles, auditor_roles)
       VALUES ($1, $2, 'test', $3, $4, 'client', $5, '{openid}', 'roles', '{admin}', '{auditor}')`,
      [randomUUID(), orgId, this.issuer.issuer, audience, `${this.issuer.issuer}/keys`],
    );
  }

  private async allowEverybody(orgId: string): Promise<void> {
    const configs = JSON.stringify(
      ['up', 'other'].map((name) => ({ mcp_client_name: name, tools_to_execute: ['*'] })),
    );
    await this.harness.sql.query(
      `INSERT INTO registry.policies (id, organization_id, name, matchers, mcp_configs) VALUES ($1, $2, 'all', '[]', $3)`,
      [randomUUID(), orgId, configs],
    );
  }

  private async recordOf({ orgId, issuer, subject, roles }: UserRecord): Promise<UserRecordAnswer> {
    const userId = this.users.get(subject) ?? randomUUID();
    this.users.set(subject, userId);
    await this.harness.sql.query(
      `INSERT INTO registry.users (id, organization_id, issuer, subject, roles) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT DO NOTHING`,
      [userId, orgId, issuer, subject, roles],
    );
    const [row] = await this.harness.sql.query<{ active: boolean }>(
      'SELECT active FROM registry.users WHERE id = $1',
      [userId],
    );
    return { status: 'known', userId, active: row?.active ?? false };
  }
}
