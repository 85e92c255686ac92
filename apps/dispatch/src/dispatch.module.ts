import type { DynamicModule } from '@nestjs/common';
import { DatabaseModule } from '@switchyard/database';
import { QueueModule } from '@switchyard/queue';
import { APPROVALS_DESK } from './approvals/approvals-desk.js';
import { ApprovalsController } from './approvals/approvals.controller.js';
import type { DispatchConfig } from './config.js';
import { DispatchRuntime } from './dispatch.runtime.js';

/** The dispatch service: takes tool calls off the queue, runs them, keeps the ledger, and asks people where it is told to. */
export class DispatchModule {
  static with(config: DispatchConfig): DynamicModule {
    return {
      module: DispatchModule,
      imports: [
        DatabaseModule.forRoot({
          ...config.database,
          schema: 'dispatch',
          applicationName: 'switchyard-dispatch',
        }),
        QueueModule.forRoot({ ...config.queue, service: 'dispatch' }),
      ],
      controllers: [ApprovalsController],
      providers: [
        { provide: 'config', useValue: config },
        DispatchRuntime,
        {
          provide: APPROVALS_DESK,
          useFactory: (runtime: DispatchRuntime) => runtime.approvalsDesk,
          inject: [DispatchRuntime],
        },
      ],
    };
  }
}
