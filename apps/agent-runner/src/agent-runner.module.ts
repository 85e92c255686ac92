import { type DynamicModule, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { DatabaseModule, Sql } from '@switchyard/database';
import { createEgressPolicy, EgressPolicy } from '@switchyard/mcp-client';
import { assertConsumers, QueueClient, QueueModule } from '@switchyard/queue';
import { Log, Metrics, Shutdown } from '@switchyard/service-kit';
import { ArgumentValidator } from '@switchyard/tool-arguments';
import { AgentsRepository } from './agents/agents.repository.js';
import { ModelKeys } from './agents/model-keys.service.js';
import { EndedCalls } from './calls/ended-calls.service.js';
import { RunCallsService } from './calls/run-calls.service.js';
import { callerProviders, chatControllers, chatProviders, watchProviders } from './chat/chat.providers.js';
import type { AgentRunnerConfig } from './config.js';
import { AgentRunsProcessor } from './engine/agent-runs.processor.js';
import { ModelStepsService } from './engine/model-steps.service.js';
import { RunDriver } from './engine/run-driver.service.js';
import { LeftOutAudit } from './planning/left-out-audit.service.js';
import { RunPlanner } from './planning/run-planner.service.js';
import { ClaimsRepository } from './runs/claims.repository.js';
import { OldRunsRepository } from './runs/old-runs.repository.js';
import { ProgressRepository } from './runs/progress.repository.js';
import { HistoryRepository } from './history/history.repository.js';
import { RunsController } from './history/runs.controller.js';
import { Deliveries } from './hooks/deliveries.service.js';
import { RefusedDeliveries } from './hooks/refused-deliveries.service.js';
import { WebhooksRepository } from './hooks/webhooks.repository.js';
import { RunRetention } from './runs/run-retention.service.js';
import { RunSweeper } from './runs/run-sweeper.service.js';
import { RunsService } from './runs/runs.service.js';
import { WaitingRuns } from './runs/waiting-runs.service.js';
import { nextTime } from './schedules/next-time.js';
import { SchedulesProcessor } from './schedules/schedules.processor.js';
import { SchedulesRepository } from './schedules/schedules.repository.js';
import { Schedules } from './schedules/schedules.service.js';
import { SecretLeases } from './secrets/secret-leases.service.js';
import { SnapshotModule } from './snapshot/snapshot.module.js';
import { RunNews } from './watch/run-news.service.js';

@Module({})
export class AgentRunnerModule implements OnApplicationBootstrap {
  constructor(private readonly queue: QueueClient) {}

  static forRoot(config: AgentRunnerConfig): DynamicModule {
    return {
      module: AgentRunnerModule,
      imports: [...stores(config), SnapshotModule],
      controllers: [...chatControllers, RunsController],
      providers: [
        ...watchProviders,
        ...callerProviders(config),
        ...chatProviders(config),
        egressPolicy(config),
        SecretLeases,
        AgentsRepository,
        ModelKeys,
        RunPlanner,
        LeftOutAudit,
        ClaimsRepository,
        progress(config),
        RunsService,
        WaitingRuns,
        EndedCalls,
        RunCallsService,
        ArgumentValidator,
        ModelStepsService,
        RunDriver,
        processor(config),
        sweeper(config),
        OldRunsRepository,
        retention(config),
        WebhooksRepository,
        RefusedDeliveries,
        Deliveries,
        HistoryRepository,
        SchedulesRepository,
        Schedules,
        schedulesProcessor(config),
      ],
    };
  }

  onApplicationBootstrap(): void {
    assertConsumers('agent-runner', this.queue.consumed);
  }
}

function stores({ database, queueUrl, sealKey, queuePrefix }: AgentRunnerConfig) {
  return [
    DatabaseModule.forRoot({ ...database, schema: 'runs', applicationName: 'agent-runner' }),
    QueueModule.forRoot({ url: queueUrl, sealKey, service: 'agent-runner', prefix: queuePrefix, nextTime }),
  ];
}

function egressPolicy({ egress }: AgentRunnerConfig) {
  return {
    provide: EgressPolicy,
    inject: [Shutdown],
    useFactory: (shutdown: Shutdown) => {
      const policy = createEgressPolicy(egress);
      shutdown.onClose(() => policy.close());
      return policy;
    },
  };
}

function progress({ runner }: AgentRunnerConfig) {
  return {
    provide: ProgressRepository,
    inject: [Sql, ClaimsRepository, RunNews],
    useFactory: (sql: Sql, claims: ClaimsRepository, news: RunNews) =>
      new ProgressRepository(sql, claims, news, runner.resultBytes),
  };
}

function processor({ runner: settings }: AgentRunnerConfig) {
  type Given = [QueueClient, ClaimsRepository, RunsService, WaitingRuns, RunDriver, Log, Metrics, Shutdown];
  return {
    provide: AgentRunsProcessor,
    inject: [QueueClient, ClaimsRepository, RunsService, WaitingRuns, RunDriver, Log, Metrics, Shutdown],
    useFactory: (...[queue, claims, runs, waiting, driver, log, metrics, shutdown]: Given) =>
      new AgentRunsProcessor({
        queue,
        claims,
        runs,
        waiting,
        driver,
        kit: { log, metrics, shutdown },
        settings,
      }),
  };
}

type SweeperParts = [ClaimsRepository, WaitingRuns, RunsService, QueueClient, Log, Shutdown];

function sweeper({ runner }: AgentRunnerConfig) {
  return {
    provide: RunSweeper,
    inject: [ClaimsRepository, WaitingRuns, RunsService, QueueClient, Log, Shutdown],
    useFactory: (...[claims, waiting, runs, queue, log, shutdown]: SweeperParts) =>
      new RunSweeper({ claims, waiting, runs, queue, kit: { log, shutdown } }, runner.sweepTickMs),
  };
}

function retention({ retention: settings }: AgentRunnerConfig) {
  return {
    provide: RunRetention,
    inject: [OldRunsRepository, Log, Shutdown],
    useFactory: (old: OldRunsRepository, log: Log, shutdown: Shutdown) =>
      new RunRetention(old, { log, shutdown }, settings),
  };
}

function schedulesProcessor({ runner }: AgentRunnerConfig) {
  type Given = [QueueClient, SchedulesRepository, Schedules, Log, Shutdown];
  return {
    provide: SchedulesProcessor,
    inject: [QueueClient, SchedulesRepository, Schedules, Log, Shutdown],
    useFactory: (...[queue, rows, schedules, log, shutdown]: Given) => {
      const { reconcileMs } = runner;
      return new SchedulesProcessor({ queue, rows, schedules, kit: { log, shutdown }, reconcileMs });
    },
  };
}
