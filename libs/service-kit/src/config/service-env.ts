import { z } from 'zod';
import { keySecret, secret } from './secret.js';

/** Settings that every service has. Spread into a service's own schema: `z.object({ ...serviceEnv, … })`. */
export const serviceEnv = {
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least severe level that is logged.'),
  SWITCHYARD_ENV: z
    .enum(['development', 'production'])
    .default('production')
    .describe('`development` permits settings that are unsafe in production.'),
  SWITCHYARD_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address on which the service listens; 0.0.0.0 in a container.'),
  SWITCHYARD_SEAL_KEY: keySecret({ minLength: 32 }).describe(
    'Key of the seals on jobs, shared by all services; at least 32 characters.',
  ),
  QUEUE_URL: secret().describe('Store of the queue: `redis://…`, `rediss://…` or `postgres://…`.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url()
    .optional()
    .describe('OpenTelemetry collector (OTLP over HTTP); without it no trace is exported.'),
};

/** The part of a service's settings that `runService` needs. Port 0 is a free port. */
export type ServiceConfig = {
  readonly name: string;
  readonly env: 'development' | 'production';
  readonly logLevel: string;
  readonly host: string;
  /** `/healthz`, `/readyz` and `/metrics`. */
  readonly opsPort: number;
  /** Absent: the service has no HTTP surface but operations. */
  readonly httpPort?: number;
  readonly otlpEndpoint?: string;
};

type CommonEnv = Pick<
  z.output<z.ZodObject<typeof serviceEnv>>,
  'LOG_LEVEL' | 'SWITCHYARD_ENV' | 'SWITCHYARD_HOST' | 'OTEL_EXPORTER_OTLP_ENDPOINT'
>;

/** Picks what `runService` needs out of a service's parsed environment. */
export function serviceConfig(
  name: string,
  env: CommonEnv,
  ports: { opsPort: number; httpPort?: number },
): ServiceConfig {
  return {
    name,
    env: env.SWITCHYARD_ENV,
    logLevel: env.LOG_LEVEL,
    host: env.SWITCHYARD_HOST,
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
    ...ports,
  };
}
