import {
  durationMs,
  portNumber,
  secret,
  type Secret,
  type ServiceConfig,
  serviceConfig,
  serviceEnv,
  wholeNumber,
} from '@switchyard/service-kit';
import { z } from 'zod';
import { masterKeyProblem } from './vault/master-key.js';

export const tokenBrokerEnv = z.object({
  ...serviceEnv,
  TOKEN_BROKER_OPS_PORT: portNumber()
    .default(0)
    .describe('Port of health, readiness and metrics; 0 is a free one.'),
  TOKEN_BROKER_DATABASE_URL: secret().describe(
    'PostgreSQL as the broker’s own role, the only one that reads the vault.',
  ),
  SWITCHYARD_MASTER_KEY: secret()
    .superRefine((key, context) => {
      const problem = masterKeyProblem(key.reveal());
      if (problem) context.addIssue({ code: 'custom', message: problem });
    })
    .describe(
      'Wraps the vault’s data keys: at least 32 random bytes as base64 or hex. The token broker’s alone.',
    ),
  TOKEN_BROKER_LEASE_TTL: durationMs()
    .default(300_000)
    .describe('How long a worker may keep a static credential in memory.'),
  TOKEN_BROKER_CONCURRENCY: wholeNumber({ min: 1, max: 256 })
    .default(32)
    .describe('Leases that one process grants at once.'),
});

export type TokenBrokerConfig = {
  readonly service: ServiceConfig;
  readonly databaseUrl: Secret;
  readonly queueUrl: Secret;
  readonly sealKey: Secret;
  /** For tests that share a store. */
  readonly queuePrefix?: string;
  readonly masterKey: Secret;
  readonly leaseTtlMs: number;
  readonly concurrency: number;
};

export function toTokenBrokerConfig(env: z.output<typeof tokenBrokerEnv>): TokenBrokerConfig {
  return {
    service: serviceConfig('token-broker', env, { opsPort: env.TOKEN_BROKER_OPS_PORT }),
    databaseUrl: env.TOKEN_BROKER_DATABASE_URL,
    queueUrl: env.QUEUE_URL,
    sealKey: env.SWITCHYARD_SEAL_KEY,
    masterKey: env.SWITCHYARD_MASTER_KEY,
    leaseTtlMs: env.TOKEN_BROKER_LEASE_TTL,
    concurrency: env.TOKEN_BROKER_CONCURRENCY,
  };
}
