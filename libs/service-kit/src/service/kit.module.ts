import type { DynamicModule } from '@nestjs/common';
import { Log } from '../logs/log.js';
import { Metrics } from '../ops/metrics.js';
import { Readiness } from '../ops/readiness.js';
import { Shutdown } from './shutdown.js';

/** What every service can inject. */
export type Kit = { log: Log; readiness: Readiness; metrics: Metrics; shutdown: Shutdown };

/** Makes the kit's parts injectable everywhere. `startService` adds it; tests of modules may add it themselves. */
export class KitModule {
  static forRoot(kit: Kit): DynamicModule {
    const providers = [
      { provide: Log, useValue: kit.log },
      { provide: Readiness, useValue: kit.readiness },
      { provide: Metrics, useValue: kit.metrics },
      { provide: Shutdown, useValue: kit.shutdown },
    ];
    return { module: KitModule, global: true, providers, exports: providers.map(({ provide }) => provide) };
  }
}
