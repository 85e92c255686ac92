import { type DynamicModule, Module } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import { FleetLimits } from '@switchyard/queue';
import { Log, Shutdown } from '@switchyard/service-kit';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { RateLimits } from './rate-limits.service.js';

type Kit = { config: GatewayConfig; sql: Sql; log: Log; shutdown: Shutdown };

/** Limits of calls, counted where the queue is: in Redis, or in the gateway's own table. */
@Module({})
export class RateLimitsModule {
  static forRoot(options: { queuePrefix?: string }): DynamicModule {
    const limits = {
      provide: FleetLimits,
      inject: [GATEWAY_CONFIG, Sql, Log, Shutdown],
      useFactory: (config: GatewayConfig, sql: Sql, log: Log, shutdown: Shutdown) =>
        openLimits({ config, sql, log, shutdown }, options.queuePrefix),
    };
    return {
      module: RateLimitsModule,
      global: true,
      providers: [limits, RateLimits],
      exports: [RateLimits, FleetLimits],
    };
  }
}

function openLimits({ config, sql, log, shutdown }: Kit, prefix: string | undefined): FleetLimits {
  const limits = new FleetLimits({
    ...{ url: config.queueUrl.reveal(), service: 'gateway', prefix },
    table: {
      ...{ schema: 'gateway', name: 'rate_limits' },
      query: (statement, parameters) => sql.prepared(statement, parameters),
    },
    onError: (err) => log.warn({ err }, 'calls pass uncounted: the limits’ store does not answer'),
  });
  shutdown.onClose(() => limits.close());
  return limits;
}
