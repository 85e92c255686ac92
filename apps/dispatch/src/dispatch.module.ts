import type { DynamicModule } from '@nestjs/common';
import { DatabaseModule } from '@switchyard/database';
import { QueueModule } from '@switchyard/queue';
import type { DispatchConfig } from './config.js';
import { DispatchRuntime } from './dispatch.runtime.js';

/** The dispatch service: takes tool calls off the queue, runs them, and keeps the ledger. */
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
      providers: [{ provide: 'config', useValue: config }, DispatchRuntime],
    };
  }
}
