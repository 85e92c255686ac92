import {
  booleanFlag,
  commaList,
  durationMs,
  portNumber,
  secret,
  Secret,
  type ServiceConfig,
  serviceConfig,
  serviceEnv,
  wholeNumber,
} from '@switchyard/service-kit';
import { z } from 'zod';
import { masterKeyProblem } from './vault/master-key.js';

const masterKey = () =>
  secret().superRefine((key, context) => {
    const problem = masterKeyProblem(key.reveal());
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

const formerKeys = () =>
  commaList().superRefine((keys, context) => {
    const problem = keys.map(masterKeyProblem).find((one) => one !== null);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

/** What the command that rotates the master key needs too. */
const vaultEnv = {
  TOKEN_BROKER_DATABASE_URL: secret().describe(
    'PostgreSQL as the broker’s own role, the only one that reads the vault.',
  ),
  SWITCHYARD_MASTER_KEY: masterKey().describe(
    'Wraps the vault’s data keys: at least 32 random bytes as base64 or hex. The token broker’s alone.',
  ),
  SWITCHYARD_FORMER_MASTER_KEYS: formerKeys()
    .transform((keys) => keys.map((key) => new Secret(key)))
    .optional()
    .describe(
      'While the master key is rotated: former keys, separated by commas (`npm run rotate-master-key`).',
    ),
};

export const rotationEnv = z.object({ LOG_LEVEL: serviceEnv.LOG_LEVEL, ...vaultEnv });

export const tokenBrokerEnv = z
  .object({
    ...serviceEnv,
    TOKEN_BROKER_HOST: z
      .string()
      .optional()
      .describe(
        'Address of the broker’s pages and API, which the gateway forwards; SWITCHYARD_HOST by default.',
      ),
    TOKEN_BROKER_PORT: portNumber()
      .default(0)
      .describe('Port of sign-in, consent, /api/credentials and /api/audit; 0 is a free one.'),
    TOKEN_BROKER_OPS_PORT: portNumber()
      .default(0)
      .describe('Port of health, readiness and metrics; 0 is a free one.'),
    ...vaultEnv,
    TOKEN_BROKER_LEASE_TTL: durationMs()
      .default(300_000)
      .describe('How long a worker may keep a credential in memory.'),
    TOKEN_BROKER_CONCURRENCY: wholeNumber({ min: 1, max: 256 })
      .default(128)
      .describe('Leases that one process grants at once; those that wait for a vendor are among them.'),
    TOKEN_BROKER_REFRESH_AHEAD: durationMs()
      .default(300_000)
      .describe('How long before its expiry a token in use is refreshed in the background.'),
    TOKEN_BROKER_REFRESH_INTERVAL: durationMs()
      .default(20_000)
      .describe('How often a broker looks for tokens to refresh in the background; 0 never.'),
    TOKEN_BROKER_ADMIN_KEY_SHA256: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')
      .optional()
      .describe(
        'Digest of the operator’s admin key (REGISTRY_ADMIN_KEY), which the broker itself never sees.',
      ),
    SWITCHYARD_PUBLIC_URL: z
      .url({ protocol: /^https?$/ })
      .default('http://127.0.0.1:8080')
      .describe('Origin under which users reach the gateway: redirect URIs and reauth_url begin with it.'),
    SWITCHYARD_EGRESS_ALLOW_PRIVATE: booleanFlag()
      .default(false)
      .describe('Development only: authorization servers on loopback and private addresses, and plain http.'),
  })
  .refine((env) => env.SWITCHYARD_ENV === 'development' || !env.SWITCHYARD_EGRESS_ALLOW_PRIVATE, {
    path: ['SWITCHYARD_EGRESS_ALLOW_PRIVATE'],
    message: 'is for SWITCHYARD_ENV=development alone',
  })
  .refine((env) => isOrigin(env.SWITCHYARD_PUBLIC_URL), {
    path: ['SWITCHYARD_PUBLIC_URL'],
    message: 'must be an origin: scheme, host and port alone',
  })
  .refine((env) => isSafeOrigin(env.SWITCHYARD_PUBLIC_URL, env.SWITCHYARD_ENV), {
    path: ['SWITCHYARD_PUBLIC_URL'],
    message: 'must be https, except on loopback',
  });

/** Token under which the configuration is injected; take the slice that you need. */
export const TOKEN_BROKER_CONFIG = Symbol('token broker configuration');

export type TokenBrokerConfig = {
  readonly service: ServiceConfig;
  readonly databaseUrl: Secret;
  readonly queueUrl: Secret;
  readonly sealKey: Secret;
  /** For tests that share a store. */
  readonly queuePrefix?: string;
  readonly masterKey: Secret;
  readonly formerMasterKeys: readonly Secret[];
  readonly leaseTtlMs: number;
  readonly concurrency: number;
  readonly refreshAheadMs: number;
  readonly refreshIntervalMs: number;
  readonly operatorKeySha256: string | null;
  /** Without a slash at its end. */
  readonly publicUrl: string;
  readonly egress: { readonly allowPrivate: boolean };
};

export function toTokenBrokerConfig(env: z.output<typeof tokenBrokerEnv>): TokenBrokerConfig {
  const ports = { opsPort: env.TOKEN_BROKER_OPS_PORT, httpPort: env.TOKEN_BROKER_PORT };
  const service = serviceConfig('token-broker', env, ports);
  return {
    service: { ...service, host: env.TOKEN_BROKER_HOST ?? service.host },
    databaseUrl: env.TOKEN_BROKER_DATABASE_URL,
    queueUrl: env.QUEUE_URL,
    sealKey: env.SWITCHYARD_SEAL_KEY,
    masterKey: env.SWITCHYARD_MASTER_KEY,
    formerMasterKeys: env.SWITCHYARD_FORMER_MASTER_KEYS ?? [],
    leaseTtlMs: env.TOKEN_BROKER_LEASE_TTL,
    concurrency: env.TOKEN_BROKER_CONCURRENCY,
    refreshAheadMs: env.TOKEN_BROKER_REFRESH_AHEAD,
    refreshIntervalMs: env.TOKEN_BROKER_REFRESH_INTERVAL,
    operatorKeySha256: env.TOKEN_BROKER_ADMIN_KEY_SHA256 ?? null,
    publicUrl: new URL(env.SWITCHYARD_PUBLIC_URL).origin,
    egress: { allowPrivate: env.SWITCHYARD_EGRESS_ALLOW_PRIVATE },
  };
}

function isOrigin(text: string): boolean {
  const { origin, href } = new URL(text);
  return href === `${origin}/`;
}

/** Session cookies must not cross a network in clear. */
function isSafeOrigin(text: string, env: 'development' | 'production'): boolean {
  const { protocol, hostname } = new URL(text);
  return (
    env === 'development' || protocol === 'https:' || /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname)
  );
}
