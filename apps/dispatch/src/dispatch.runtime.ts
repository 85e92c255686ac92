import { randomUUID } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import {
  SnapshotStore,
  type IntegrationRecord,
  type SnapshotChange,
  type Snapshot,
} from '@switchyard/access';
import { queues, topics, type MessageOf, type ToolCall } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import {
  createEgressPolicy,
  UpstreamPool,
  WantedResources,
  type EgressPolicy,
  type StdioCommand,
} from '@switchyard/mcp-client';
import { assertConsumers, QueueClient, Sealer } from '@switchyard/queue';
import { Log, Metrics, Readiness, Shutdown } from '@switchyard/service-kit';
import { ApprovalAudit } from './approvals/approval-audit.service.js';
import { ApprovalDecisionsProcessor } from './approvals/approval-decisions.processor.js';
import { ApprovalsDesk } from './approvals/approvals-desk.js';
import { ApprovalsRepository } from './approvals/approvals.repository.js';
import { ApprovalsService } from './approvals/approvals.service.js';
import { Approvers } from './approvals/approvers.service.js';
import { BreakersRepository } from './breakers/breakers.repository.js';
import { BreakersService } from './breakers/breakers.service.js';
import type { DispatchConfig } from './config.js';
import { RevokedGrantsRepository } from './grants/revoked-grants.repository.js';
import { RevokedGrants } from './grants/revoked-grants.service.js';
import { LeaseClient } from './leases/lease-client.js';
import { LedgerRepository } from './ledger/ledger.repository.js';
import { LedgerService } from './ledger/ledger.service.js';
import { LimitsService } from './limits/limits.service.js';
import { CallQuestions } from './questions/call-questions.js';
import { commandOf } from './stdio/command-of.js';
import { StdioChild } from './stdio/stdio-child.js';
import { StdioOwnersRepository } from './stdio/stdio-owners.repository.js';
import { StdioOwnershipService } from './stdio/stdio-ownership.service.js';
import { SweeperRepository } from './sweeper/sweeper.repository.js';
import { SweeperService } from './sweeper/sweeper.service.js';
import { CallMetrics } from './tool-calls/call-metrics.js';
import { CallSender } from './tool-calls/call-sender.js';
import { CancellationsProcessor } from './tool-calls/cancellations.processor.js';
import { RunningCalls } from './tool-calls/running-calls.js';
import { ToolCallProcessor } from './tool-calls/tool-call.processor.js';
import { ToolCallsService } from './tool-calls/tool-calls.service.js';
import { ToolResolver } from './tool-calls/tool-resolver.js';
import { sendOverHttp } from './upstreams/send-over-http.js';
import { sendOverStdio } from './upstreams/send-over-stdio.js';
import type { SendCall } from './upstreams/upstream-call.js';

const workerDeadAfterMs = 10_000;
const sweepEveryMs = 2_000;
const ownershipTickMs = 1_000;
const stdioConnectTimeoutMs = 15_000;
const snapshotStaleMs = 15_000;
/** For those who are silent: what they wanted is forgotten by time. */
const wantedTickMs = 5_000;

/**
 * The worker, put together by hand: everything is made once, started in order when the module starts, and stopped in
 * the opposite order. `workerId` is this process's name in the ledger and in the ownership of stdio children.
 */
@Injectable()
export class DispatchRuntime implements OnModuleInit {
  private readonly workerId = randomUUID();
  private readonly snapshots: SnapshotStore;
  private readonly egress: EgressPolicy;
  private readonly pool: UpstreamPool;
  private readonly leases: LeaseClient;
  private readonly runningCalls = new RunningCalls();
  private readonly questions: CallQuestions;
  private readonly breakers: BreakersService;
  private readonly ledgerRepository: LedgerRepository;
  private readonly revokedGrants: RevokedGrants;
  private readonly resolver: ToolResolver;
  private readonly approvalAudit: ApprovalAudit;
  readonly approvals: ApprovalsService;
  private readonly approvers: Approvers;
  readonly approvalsDesk: ApprovalsDesk;

  constructor(
    @Inject('config') private readonly config: DispatchConfig,
    private readonly queue: QueueClient,
    private readonly sealer: Sealer,
    private readonly sql: Sql,
    private readonly log: Log,
    private readonly metrics: Metrics,
    private readonly readiness: Readiness,
    private readonly shutdown: Shutdown,
  ) {
    this.snapshots = new SnapshotStore({
      query: (text, params) => sql.query(text, params),
      onError: (err) => log.warn({ err }, 'the snapshot was not refreshed'),
    });
    this.egress = createEgressPolicy({ allowPrivate: config.allowPrivate });
    this.pool = new UpstreamPool({ egress: this.egress, idleMs: config.sessionIdleMs });
    this.leases = new LeaseClient(queue);
    this.questions = new CallQuestions(queue, sealer, log);
    this.ledgerRepository = new LedgerRepository(sql);
    this.breakers = new BreakersService(new BreakersRepository(sql), config.breaker, (integrationId) =>
      queue.publish(topics.breakerChanged, { integrationId }),
    );
    const grants = new RevokedGrantsRepository(sql);
    this.revokedGrants = new RevokedGrants({
      revokedSince: (ageMs) => grants.revokedSince(ageMs),
      onRevoked: (id) => this.runningCalls.abortWhere(({ caller }) => caller.oauthGrantId === id, 'revoked'),
      onError: (err) => log.warn({ err }, 'revoked grants could not be looked for'),
    });
    this.resolver = new ToolResolver(
      () => this.snapshots.current(),
      Date.now,
      () => this.snapshots.refresh(),
      (grantId) => this.revokedGrants.has(grantId),
    );
    const rows = new ApprovalsRepository(sql);
    this.approvalAudit = new ApprovalAudit(rows, queue, log);
    this.approvals = new ApprovalsService({
      ...{ rows, queue, sealer, log, audit: this.approvalAudit, resolver: this.resolver },
      snapshot: () => this.snapshots.current(),
      refresh: () => this.snapshots.refresh(),
    });
    const { operatorKeySha256 } = config;
    this.approvers = new Approvers({ queue, sql, log, fetch: this.egress.fetch, operatorKeySha256 });
    this.approvalsDesk = new ApprovalsDesk(this.approvers, rows, this.approvals, () =>
      this.snapshots.current(),
    );
  }

  async onModuleInit(): Promise<void> {
    await this.snapshots.start();
    this.shutdown.onClose(() => this.snapshots.close());
    this.shutdown.onClose(() => this.egress.close());
    this.shutdown.onClose(() => this.pool.close());
    this.readiness.add('snapshot', async () => {
      if (this.snapshots.ageMs() > snapshotStaleMs)
        throw new Error('the snapshot of registry and catalog is stale');
    });
    await this.breakers.load();
    await this.questions.start();
    await this.followChanges();
    await this.revokedGrants.start();
    this.shutdown.onClose(() => this.revokedGrants.stop());
    await this.approvers.start();
    await this.startSweeper();
    this.startStdio();
    await this.startConsumers();
  }

  private async followChanges(): Promise<void> {
    await this.queue.subscribe(topics.registryChanged, () => this.snapshots.refresh('registry'));
    await this.queue.subscribe(topics.catalogChanged, ({ integrationId }) =>
      this.snapshots.refresh(integrationId),
    );
    await this.queue.subscribe(topics.breakerChanged, ({ integrationId }) =>
      this.breakers.refresh(integrationId),
    );
    await this.queue.subscribe(topics.breakerReset, ({ integrationId }) =>
      this.breakers.reset(integrationId),
    );
    await this.queue.subscribe(topics.grantRevoked, ({ grantId }) => this.revokedGrants.add(grantId));
    await this.queue.subscribe(topics.credentialChanged, (change) => this.credentialChanged(change));
    this.queue.onReconnect(() => {
      this.leases.forgetAll();
      void this.snapshots.refresh('all');
    });
    this.snapshots.onChange((change, snapshot) => this.dropWhatChanged(change, snapshot));
  }

  /** Revocation drops cached leases and sessions, and aborts safe calls that run. */
  private dropWhatChanged(change: SnapshotChange, snapshot: Snapshot): void {
    for (const id of change.integrations) {
      if (snapshot.integrations.get(id)?.enabled) continue;
      this.leases.forget(id);
      this.pool.drop(`${id}:`);
    }
    if (!change.registry) return;
    const resolver = new ToolResolver(() => snapshot);
    this.runningCalls.abortWhere((call) => resolver.resolve(call).status === 'missing', 'revoked');
  }

  /** Leases are asked anew. A disconnected credential stops what still runs by it, where stopping is safe. */
  private credentialChanged({
    integrationId,
    userId,
    state,
  }: MessageOf<typeof topics.credentialChanged>): void {
    this.leases.forget(integrationId);
    void this.snapshots.refresh('registry');
    if ((state !== null && state !== 'orphaned') || userId === null) return;
    const isTheirs = ({ integrationId: id, caller }: ToolCall): boolean =>
      id === integrationId && caller.userId === userId;
    this.runningCalls.abortWhere(isTheirs, 'revoked');
  }

  private async startSweeper(): Promise<void> {
    const sweeper = new SweeperService(new SweeperRepository(this.sql, this.workerId), this.queue, this.log, {
      tickMs: sweepEveryMs,
      deadAfterMs: workerDeadAfterMs,
      retentionDays: this.config.retentionDays,
      alsoSweep: () => this.approvalAudit.tellAll(),
    });
    await sweeper.start();
    this.shutdown.onClose(() => sweeper.stop());
  }

  private startStdio(): void {
    const { config, queue, leases, egress, questions, log } = this;
    const children = new Set<StdioChild>();
    const startChild = (integration: IntegrationRecord): StdioChild => {
      const child = new StdioChild(integration, {
        queue,
        leases,
        egress,
        questions,
        log,
        connectTimeoutMs: stdioConnectTimeoutMs,
        strayMs: config.stdioStrayMs,
        commandOf: (one) => this.commandOf(one),
        onListsChanged: (one) => void this.askForSync(one),
        onResourceUpdated: (one, uri) => void this.tellUpdated(one, uri),
        onStopped: (stopped) => children.delete(stopped),
      });
      children.add(child);
      return child;
    };
    const repository = new StdioOwnersRepository(this.sql, this.workerId, config.stdioLeaseMs);
    const settings = {
      leaseMs: config.stdioLeaseMs,
      tickMs: ownershipTickMs,
      heartbeatMs: workerDeadAfterMs,
    };
    const ownership = new StdioOwnershipService(
      repository,
      () => this.snapshots.current(),
      startChild,
      log,
      settings,
    );
    this.snapshots.onChange(({ registry }) => registry && ownership.tickSoon());
    void queue.subscribe(topics.toolCallCancel, ({ callId }) =>
      children.forEach((child) => child.cancel(callId)),
    );
    this.followWanted(children);
    ownership.start();
    this.shutdown.onStopTaking(() => ownership.stop());
  }

  /** Children are ours alone to subscribe to; catalog-sync does it for all other upstreams. */
  private followWanted(children: ReadonlySet<StdioChild>): void {
    const wanted = new WantedResources();
    const want = (): void => children.forEach((child) => child.want(wanted.of(child.integrationId)));
    void this.queue.subscribe(topics.resourcesWanted, (message) => {
      wanted.heard(message);
      want();
    });
    const timer = setInterval(want, wantedTickMs);
    this.shutdown.onClose(() => clearInterval(timer));
  }

  private async tellUpdated({ id: integrationId }: IntegrationRecord, uri: string): Promise<void> {
    await this.queue
      .publish(topics.resourceUpdated, { integrationId, uri })
      .catch((err: unknown) => this.log.warn({ err }, 'an update of a resource was not published'));
  }

  private commandOf(integration: IntegrationRecord): StdioCommand {
    const orgSlug = this.snapshots.current().organizations.get(integration.orgId)?.slug ?? '';
    return commandOf(integration, orgSlug, this.config);
  }

  private async askForSync({ id, orgId }: IntegrationRecord): Promise<void> {
    await this.queue
      .enqueue(queues.catalogSync, { v: 1, orgId, integrationId: id, reason: 'list_changed' })
      .catch((err: unknown) => this.log.warn({ err }, 'a changed tool list was not announced'));
  }

  private async startConsumers(): Promise<void> {
    const { queue, log, config } = this;
    const metrics = new CallMetrics(
      this.metrics,
      (integrationId) =>
        void queue.publish(topics.upstreamAnswered, { integrationId, at: Date.now() }).catch(() => undefined),
    );
    const ledger = new LedgerService(
      this.ledgerRepository,
      (callId) => void queue.publish(topics.toolCallEnded, { callId }).catch(() => undefined),
    );
    const send: SendCall = (call) =>
      call.resolved.integration.transport.type === 'stdio'
        ? sendOverStdio(queue, call)
        : sendOverHttp({ pool: this.pool, questions: this.questions }, call);
    const service = new ToolCallsService({
      resolver: this.resolver,
      breakers: this.breakers,
      limits: new LimitsService(this.sql, this.workerId),
      ledger,
      sender: new CallSender({
        ...{ leases: this.leases, sendCall: send, breakers: this.breakers, metrics, log },
        ...{ questions: this.questions, concurrency: config.concurrency },
      }),
      runningCalls: this.runningCalls,
      metrics,
      log,
      settings: { workerId: this.workerId, resultLimitBytes: config.resultLimitBytes, now: Date.now },
    });
    assertConsumers('dispatch', [
      queues.toolCallsInteractive,
      queues.toolCallsBackground,
      queues.toolCallCancellations,
      queues.approvalDecisions,
    ]);
    await new CancellationsProcessor(queue, this.ledgerRepository, this.runningCalls).start();
    new ApprovalDecisionsProcessor(queue, this.approvals).start();
    new ToolCallProcessor(queue, this.sealer, service, log).start(config.concurrency);
    const { runningCalls } = this;
    this.metrics.gauge({
      name: 'switchyard_calls_running',
      help: 'Tool calls in this worker’s hands.',
      collect() {
        this.set(runningCalls.size);
      },
    });
  }
}
