import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { StdioAllowlist } from '@switchyard/contracts';
import {
  booleanFlag,
  durationMs,
  loadConfig,
  portNumber,
  secret,
  serviceConfig,
  serviceEnv,
  wholeNumber,
} from '@switchyard/service-kit';
import { z } from 'zod';

/** The settings of dispatch. */
export const dispatchEnv = z
  .object({
    ...serviceEnv,
    DISPATCH_PORT: portNumber()
      .default(0)
      .describe('Port of /api/approvals, which the gateway forwards; 0 is a free port.'),
    DISPATCH_OPS_PORT: portNumber()
      .default(0)
      .describe('Port of /healthz, /readyz and /metrics; 0 is a free port.'),
    DISPATCH_DATABASE_URL: secret().describe('PostgreSQL, as the role of dispatch.'),
    DISPATCH_DATABASE_POOL_SIZE: wholeNumber({ min: 2, max: 200 })
      .default(10)
      .describe('Connections to PostgreSQL.'),
    DISPATCH_ADMIN_KEY_SHA256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')
      .optional()
      .describe(
        'Digest of the operator’s admin key (REGISTRY_ADMIN_KEY), which dispatch itself never sees; without it that key decides about no call.',
      ),
    DISPATCH_INTERACTIVE_CONCURRENCY: wholeNumber({ min: 1, max: 2_000 })
      .default(64)
      .describe('Interactive calls that one worker runs at once.'),
    DISPATCH_BACKGROUND_CONCURRENCY: wholeNumber({ min: 1, max: 2_000 })
      .default(16)
      .describe('Background calls that one worker runs at once.'),
    DISPATCH_RESULT_LIMIT_BYTES: wholeNumber({ min: 1_000 })
      .default(250_000)
      .describe('Largest result of a tool; a larger one is `result_too_large`.'),
    DISPATCH_LEDGER_RETENTION_DAYS: wholeNumber({ min: 1, max: 3_650 })
      .default(14)
      .describe('Days for which the ledger keeps ended calls.'),
    DISPATCH_BREAKER_FAILURES: wholeNumber({ min: 2 })
      .default(5)
      .describe('Failures in a row that open the circuit breaker of an integration.'),
    DISPATCH_BREAKER_OPEN: durationMs()
      .default(30_000)
      .describe('How long an open breaker refuses calls before trial calls.'),
    DISPATCH_BREAKER_TRIALS: wholeNumber({ min: 1 })
      .default(3)
      .describe('Trial calls at once while the breaker is half open.'),
    DISPATCH_STDIO_LEASE: durationMs()
      .default(6_000)
      .describe('How long a worker owns a stdio child without renewing.'),
    DISPATCH_STDIO_STRAY: durationMs()
      .default(600_000)
      .describe(
        'How long a stdio child that never answered a cancelled call may ask nobody; then it is replaced, once it is idle.',
      ),
    DISPATCH_SESSION_IDLE: durationMs()
      .default(300_000)
      .describe('How long an unused upstream session is kept.'),
    SWITCHYARD_EGRESS_ALLOW_PRIVATE: booleanFlag()
      .default(false)
      .describe('Development only: permits upstreams on loopback and private addresses, and http.'),
    SWITCHYARD_STDIO_ALLOWLIST: z
      .string()
      .optional()
      .describe('Path of the JSON file with the stdio servers that may be started; without it none.'),
    SWITCHYARD_LOCAL_TOOLS: z
      .string()
      .optional()
      .describe(
        'Folder of TypeScript or JavaScript files whose tools are served as the integration of kind `local` (docs/local-tools.md). ' +
          'Set it for registry and for every dispatch worker; what stands in it runs on dispatch’s machine.',
      ),
  })
  .refine((env) => !(env.SWITCHYARD_ENV === 'production' && env.SWITCHYARD_EGRESS_ALLOW_PRIVATE), {
    path: ['SWITCHYARD_EGRESS_ALLOW_PRIVATE'],
    message: 'is for development alone',
  })
  .transform((env) => ({
    service: serviceConfig('dispatch', env, {
      opsPort: env.DISPATCH_OPS_PORT,
      httpPort: env.DISPATCH_PORT,
    }),
    operatorKeySha256: env.DISPATCH_ADMIN_KEY_SHA256 ?? null,
    queue: { url: env.QUEUE_URL, sealKey: env.SWITCHYARD_SEAL_KEY },
    database: { url: env.DISPATCH_DATABASE_URL, poolSize: env.DISPATCH_DATABASE_POOL_SIZE },
    concurrency: {
      interactive: env.DISPATCH_INTERACTIVE_CONCURRENCY,
      background: env.DISPATCH_BACKGROUND_CONCURRENCY,
    },
    resultLimitBytes: env.DISPATCH_RESULT_LIMIT_BYTES,
    retentionDays: env.DISPATCH_LEDGER_RETENTION_DAYS,
    breaker: {
      failureThreshold: env.DISPATCH_BREAKER_FAILURES,
      openMs: env.DISPATCH_BREAKER_OPEN,
      trialCalls: env.DISPATCH_BREAKER_TRIALS,
    },
    stdioLeaseMs: env.DISPATCH_STDIO_LEASE,
    stdioStrayMs: env.DISPATCH_STDIO_STRAY,
    sessionIdleMs: env.DISPATCH_SESSION_IDLE,
    allowPrivate: env.SWITCHYARD_EGRESS_ALLOW_PRIVATE,
    stdioAllowlist: readAllowlist(env.SWITCHYARD_STDIO_ALLOWLIST),
    /** Absolute: children have another working directory. */
    localTools: env.SWITCHYARD_LOCAL_TOOLS === undefined ? null : resolve(env.SWITCHYARD_LOCAL_TOOLS),
  }));

export type DispatchConfig = z.output<typeof dispatchEnv>;

/** Reads and checks the settings of this process. */
export function dispatchConfig(): DispatchConfig {
  return loadConfig('dispatch', dispatchEnv);
}

function readAllowlist(path: string | undefined): StdioAllowlist {
  return path === undefined ? [] : StdioAllowlist.parse(JSON.parse(readFileSync(path, 'utf8')));
}
