import { type DynamicModule, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { DatabaseModule } from '@switchyard/database';
import { createEgressPolicy, EgressPolicy } from '@switchyard/mcp-client';
import { assertConsumers, QueueClient, QueueModule } from '@switchyard/queue';
import { Log, Metrics, Shutdown } from '@switchyard/service-kit';
import { EndedCalls } from './calls/ended-calls.service.js';
import { RunCallsService } from './calls/run-calls.service.js';
import { callerProviders, chatControllers, chatProviders, watchProviders } from './chat/chat.providers.js';
import type { AgentRunnerConfig } from './config.js';
import { AgentRunsProcessor } from './engine/agent-runs.processor.js';
import { ModelStepsService } from './engine/model-steps.service.js';
import { RunDriver } from './engine/run-driver.service.js';
import { AgentSource, ModelKeys } from './ports/agent-source.js';
import { ToolPlanner } from './ports/tool-planner.js';
import type { RunnerPorts } from './ports/unpublished.js';
import { ClaimsRepository } from './runs/claims.repository.js';
import { ProgressRepository } from './runs/progress.repository.js';
import { RunSweeper } from './runs/run-sweeper.service.js';
import { RunsService } from './runs/runs.service.js';
import { SnapshotModule } from './snapshot/snapshot.module.js';

@Module({})
export class AgentRunnerModule implements OnApplicationBootstrap {
  constructor(private readonly queue: QueueClient) {}

  static forRoot(config: AgentRunnerConfig, ports: RunnerPorts): DynamicModule {
    return {
      module: AgentRunnerModule,
      imports: [...stores(config), SnapshotModule],
      controllers: chatControllers,
      providers: [
        ...watchProviders,
        ...callerProviders(config),
        ...chatProviders(config),
        { provide: AgentSource, useValue: ports.agents },
        { provide: ModelKeys, useValue: ports.keys },
        { provide: ToolPlanner, useValue: ports.planner },
        egressPolicy(config),
        ClaimsRepository,
        ProgressRepository,
        RunsService,
        EndedCalls,
        RunCallsService,
        ModelStepsService,
        RunDriver,
        processor(config),
        sweeper(config),
      ],
    };
  }

  onApplicationBootstrap(): void {
    assertConsumers('agent-runner', this.queue.consumed);
  }
}

function stores({ databaseUrl, queueUrl, sealKey, queuePrefix }: AgentRunnerConfig) {
  return [
    DatabaseModule.forRoot({ url: databaseUrl, schema: 'runs', applicationName: 'agent-runner' }),
    QueueModule.forRoot({ url: queueUrl, sealKey, service: 'agent-runner', prefix: queuePrefix }),
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

function processor({ runner: settings }: AgentRunnerConfig) {
  type Given = [QueueClient, ClaimsRepository, RunsService, RunDriver, Log, Metrics, Shutdown];
  return {
    provide: AgentRunsProcessor,
    inject: [QueueClient, ClaimsRepository, RunsService, RunDriver, Log, Metrics, Shutdown],
    useFactory: (...[queue, claims, runs, driver, log, metrics, shutdown]: Given) =>
      new AgentRunsProcessor({ queue, claims, runs, driver, kit: { log, metrics, shutdown }, settings }),
  };
}

function sweeper({ runner }: AgentRunnerConfig) {
  return {
    provide: RunSweeper,
    inject: [ClaimsRepository, QueueClient, Log, Shutdown],
    useFactory: (...[claims, queue, log, shutdown]: [ClaimsRepository, QueueClient, Log, Shutdown]) =>
      new RunSweeper(claims, queue, { log, shutdown }, runner.sweepTickMs),
  };
}
