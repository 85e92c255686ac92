import type { AddressInfo } from 'node:net';
import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceConfig } from '../config/service-env.js';
import { createHttpAdapter } from '../http/http-adapter.js';
import { parseJsonBodies } from '../http/json-bodies.js';
import { parseOtherBodies } from '../http/other-bodies.js';
import { ProblemFilter } from '../http/problem.filter.js';
import { createLogger } from '../logs/log.js';
import { nestLogger } from '../logs/nest-logger.js';
import { Metrics } from '../ops/metrics.js';
import { OpsServer } from '../ops/ops-server.js';
import { Readiness } from '../ops/readiness.js';
import { startTracing } from '../tracing/start-tracing.js';
import { type Kit, KitModule } from './kit.module.js';
import { Shutdown } from './shutdown.js';

/** A service: its settings, its module, and what its HTTP surface needs. */
export type ServiceOptions = {
  config: ServiceConfig;
  module: Type | DynamicModule;
  http?: {
    /** 1 MiB by default. */
    bodyLimitBytes?: number;
    /** Addresses and CIDR ranges of proxies whose X-Forwarded-For counts; nobody's by default. */
    trustedProxies?: readonly string[];
    /** Called before the routes are made: for hooks, plugins and routes of Fastify itself. */
    configure?(app: NestFastifyApplication): Promise<void> | void;
    /** `configure` sets a parser of JSON bodies of its own. */
    parsesJson?: boolean;
  };
};

/** A service that listens. */
export type RunningService = {
  readonly app: INestApplicationContext;
  readonly kit: Kit;
  readonly opsPort: number;
  readonly httpPort?: number;
  /**
   * Drains: not ready any more, takes nothing new, finishes what runs, closes Nest and HTTP, then what was
   * registered by `Shutdown.onClose`, then operations. The second call waits for the first.
   */
  close(): Promise<void>;
};

/** Starts a service inside this process and leaves the process alone; `runService` is for `main.ts`. Rejects when it cannot start. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const { config } = options;
  const log = createLogger(config.name, { level: config.logLevel });
  const kit: Kit = { log, readiness: new Readiness(), metrics: new Metrics(), shutdown: new Shutdown(log) };
  const stopTracing = startTracing(config);
  const ops = new OpsServer(kit.readiness, kit.metrics);
  const opsPort = await ops.listen(config.opsPort, config.host);
  const end = async (app?: INestApplicationContext): Promise<void> => {
    kit.readiness.drain();
    await kit.shutdown.stopTaking();
    if (app) await closeNest(app);
    await kit.shutdown.close();
    await ops.close();
    await stopTracing();
  };
  try {
    const { app, httpPort } = await startNest(options, kit);
    kit.readiness.serve();
    let closing: Promise<void> | undefined;
    return { app, kit, opsPort, httpPort, close: () => (closing ??= end(app)) };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Node closes connections that are idle when a server closes, not those that become idle after their last answer. */
async function closeNest(app: INestApplicationContext): Promise<void> {
  const server = 'getHttpServer' in app ? (app as NestFastifyApplication).getHttpServer() : undefined;
  const timer = setInterval(() => server?.closeIdleConnections(), 50);
  await app.close().finally(() => clearInterval(timer));
}

type StartedNest = { app: INestApplicationContext; httpPort?: number };

async function startNest(options: ServiceOptions, kit: Kit): Promise<StartedNest> {
  const { config, http } = options;
  const root = { imports: [KitModule.forRoot(kit), options.module] };
  const settings = { logger: nestLogger(kit.log), abortOnError: false };
  if (config.httpPort === undefined)
    return { app: await NestFactory.createApplicationContext(root, settings) };
  const { bodyLimitBytes, trustedProxies } = http ?? {};
  const adapter = createHttpAdapter({ bodyLimitBytes, trustedProxies, metrics: kit.metrics });
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, settings);
  app.useGlobalFilters(new ProblemFilter(kit.log));
  await http?.configure?.(app);
  if (!http?.parsesJson) parseJsonBodies(app);
  parseOtherBodies(app);
  await app.listen(config.httpPort, config.host);
  return { app, httpPort: (app.getHttpServer().address() as AddressInfo).port };
}
