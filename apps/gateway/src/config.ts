import {
  booleanFlag,
  commaList,
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
import { isLoopback } from './edge/host-origin.js';
import { isNetwork } from './edge/is-network.js';

/** The replicas of a service. */
const urlList = () => commaList().pipe(z.array(z.url({ protocol: /^https?$/ })).min(1));

const settings = z.object({
  ...serviceEnv,
  GATEWAY_PORT: portNumber().default(8080).describe('Port of the public edge; 0 is a free one.'),
  GATEWAY_OPS_PORT: portNumber()
    .default(0)
    .describe('Port of health, readiness and metrics; 0 is a free one.'),
  GATEWAY_DATABASE_URL: secret().describe('PostgreSQL as the gateway’s own role.'),
  GATEWAY_REGISTRY_URL: z.url().describe('The registry, to which the admin paths are forwarded.'),
  GATEWAY_TOKEN_BROKER_URL: z
    .url()
    .describe('The token broker, to which sign-in, consent, credentials and audit are forwarded.'),
  GATEWAY_DISPATCH_URL: urlList().describe(
    'Dispatch, to which approvals are forwarded: one URL, or several with commas between, which take requests in turn. Behind a load balancer one is enough.',
  ),
  GATEWAY_AGENT_RUNNER_URL: urlList().describe(
    'The agent runner, to which chat, runs, conversations and webhooks are forwarded: one URL, or several with commas between, which take requests in turn. Behind a load balancer one is enough.',
  ),
  SWITCHYARD_EGRESS_ALLOW_PRIVATE: booleanFlag()
    .default(false)
    .describe(
      'Development only: identity providers on loopback and private addresses, and plain http to them.',
    ),
  GATEWAY_PUBLIC_URL: z
    .url()
    .optional()
    .describe('Origin by which clients reach the gateway; without it the request’s own Host is taken.'),
  GATEWAY_ALLOWED_HOSTS: commaList()
    .default([])
    .describe('Further host names under which the gateway answers, without port.'),
  GATEWAY_ALLOWED_ORIGINS: commaList()
    .default([])
    .describe('Origins of web pages that may call, such as https://app.example.com.'),
  GATEWAY_ENFORCE_AUTH_ON_INFERENCE: booleanFlag()
    .default(true)
    .describe('False: callers without a key get all tools of organization `default` that need no user.'),
  GATEWAY_TRUSTED_PROXIES: commaList()
    .default([])
    .refine((list) => list.every(isNetwork), 'must be addresses and CIDR ranges')
    .describe(
      'Addresses and CIDR ranges of the proxies in front, whose X-Forwarded-For tells by which address clients are counted.',
    ),
  GATEWAY_BODY_LIMIT_BYTES: wholeNumber({ min: 1024 }).default(4_194_304).describe('Largest request body.'),
  GATEWAY_BODY_TIMEOUT: durationMs().default(15_000).describe('Time in which a request has to arrive.'),
  GATEWAY_JSON_MAX_DEPTH: wholeNumber({ min: 8, max: 1000 })
    .default(100)
    .describe('Deepest nesting of a JSON body.'),
  GATEWAY_JSON_MAX_ELEMENTS: wholeNumber({ min: 100 })
    .default(100_000)
    .describe('Most values in a JSON body.'),
  GATEWAY_STREAMS_PER_KEY: wholeNumber({ min: 1 })
    .default(100)
    .describe('Event streams that one virtual key, or one user, may hold open on one replica.'),
  GATEWAY_STREAMS_MAX: wholeNumber({ min: 1 })
    .default(10_000)
    .describe('Event streams that one replica holds open.'),
  GATEWAY_KEEP_ALIVE: durationMs()
    .default(15_000)
    .describe('Pause between comments on a silent event stream.'),
  GATEWAY_CALL_DEADLINE: durationMs()
    .default(30_000)
    .describe('Deadline of a call where neither the caller, the tool nor the integration has one.'),
  GATEWAY_DEADLINE_GRACE: durationMs()
    .default(1_000)
    .describe('How long after a call’s deadline the worker’s own verdict is awaited.'),
  GATEWAY_MCP_ENABLED: booleanFlag().default(true).describe('Whether `/mcp` is served.'),
  GATEWAY_BFF_ENABLED: booleanFlag()
    .default(true)
    .describe('Whether the REST faces of chat backends are served: `/api/bff` and `/v1/mcp`.'),
  GATEWAY_BFF_WAIT: durationMs()
    .default(25_000)
    .describe(
      'How long a call of `/api/bff` is waited for before the answer is `pending`, unless `Prefer` says.',
    ),
  GATEWAY_BFF_DEADLINE: durationMs()
    .default(300_000)
    .describe('Deadline of a call of `/api/bff` where neither the tool nor the integration has one.'),
  GATEWAY_BFF_HEARTBEAT: durationMs()
    .default(30_000)
    .describe('Pause between two `heartbeat` events of `/api/bff/sse`.'),
  GATEWAY_RESULT_CACHE_BYTES: wholeNumber({ min: 0 })
    .default(67_108_864)
    .describe('Memory of one replica for results that admins let be repeated (cache_seconds).'),
  GATEWAY_MCP_SERVER_AUTH_MODE: z
    .enum(['headers', 'both', 'oauth'])
    .default('both')
    .describe(
      'Credentials on /mcp: `headers` keys and users’ own tokens, `oauth` tokens alone (the gateway’s and users’ own), `both` all of them.',
    ),
  SWITCHYARD_PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Origin under which browsers reach the gateway: issuer of its OAuth tokens where GATEWAY_PUBLIC_URL is not set.',
    ),
  GATEWAY_OAUTH_ACCESS_TTL: durationMs()
    .pipe(z.number().int().min(1_000).max(86_400_000))
    .default(600_000)
    .describe('How long an access token for an MCP client holds.'),
  GATEWAY_OAUTH_GRANT_TTL: durationMs()
    .pipe(z.number().int().min(60_000))
    .default(2_592_000_000)
    .describe('How long after consent an MCP client may refresh; then the user is asked again.'),
  GATEWAY_OAUTH_REGISTRATIONS_PER_HOUR: wholeNumber({ min: 0 })
    .default(100)
    .describe('MCP clients that one address may register in an hour; 0 turns registration off.'),
  GATEWAY_ADMIN_KEY_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')
    .optional()
    .describe(
      'Digest of the operator’s admin key (REGISTRY_ADMIN_KEY), which the gateway itself never sees.',
    ),
  GATEWAY_IDEMPOTENCY_TTL: durationMs()
    .default(86_400_000)
    .describe('How long an Idempotency-Key is remembered.'),
});

/** Behind an address that others reach, only names that are told are ours; without any, every request is refused. */
export const gatewayEnv = settings.superRefine((env, context) => {
  if (env.SWITCHYARD_EGRESS_ALLOW_PRIVATE && env.SWITCHYARD_ENV !== 'development')
    context.addIssue({
      code: 'custom',
      path: ['SWITCHYARD_EGRESS_ALLOW_PRIVATE'],
      message: 'is for SWITCHYARD_ENV=development alone',
    });
  const hasIssuer = env.GATEWAY_PUBLIC_URL ?? env.SWITCHYARD_PUBLIC_URL ?? isLoopback(env.SWITCHYARD_HOST);
  if (env.GATEWAY_MCP_SERVER_AUTH_MODE === 'oauth' && !hasIssuer) {
    const message = 'is required with GATEWAY_MCP_SERVER_AUTH_MODE=oauth';
    context.addIssue({ code: 'custom', path: ['GATEWAY_PUBLIC_URL'], message });
  }
  const isNamed = env.GATEWAY_PUBLIC_URL !== undefined || env.GATEWAY_ALLOWED_HOSTS.length > 0;
  if (isNamed || isLoopback(env.SWITCHYARD_HOST)) return;
  const message = 'is required, or GATEWAY_ALLOWED_HOSTS, unless SWITCHYARD_HOST is a loopback address';
  context.addIssue({ code: 'custom', path: ['GATEWAY_PUBLIC_URL'], message });
});

/** Token under which the configuration is injected; take the slice that you need. */
export const GATEWAY_CONFIG = Symbol('gateway configuration');

export type GatewayConfig = {
  readonly service: ServiceConfig;
  readonly databaseUrl: Secret;
  readonly queueUrl: Secret;
  readonly sealKey: Secret;
  readonly registryUrl: string;
  readonly tokenBrokerUrl: string;
  readonly dispatchUrls: readonly string[];
  readonly agentRunnerUrls: readonly string[];
  readonly egress: { readonly allowPrivate: boolean };
  readonly isAuthEnforced: boolean;
  readonly oauth: OAuthConfig;
  readonly edge: EdgeConfig;
  readonly streams: StreamConfig;
  readonly calls: CallConfig;
  readonly resultCacheBytes: number;
  readonly isMcpEnabled: boolean;
  readonly bff: BffConfig;
};

/** The authorization server toward MCP clients. */
export type OAuthConfig = {
  readonly mode: 'headers' | 'both' | 'oauth';
  /** Origin of the issuer; undefined: the loopback address on which the gateway listens. */
  readonly issuer: string | undefined;
  readonly accessTtlMs: number;
  readonly grantTtlMs: number;
  readonly registrationsPerHour: number;
  readonly operatorKeySha256: string | null;
};

/** What stands between the network and the routes. */
export type EdgeConfig = {
  /** Address on which the service listens: on loopback its names are allowed as hosts and origins. */
  readonly listenHost: string;
  readonly publicUrl: string | undefined;
  readonly trustedProxies: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly bodyLimitBytes: number;
  readonly bodyTimeoutMs: number;
  readonly json: { readonly maxDepth: number; readonly maxElements: number };
};

export type StreamConfig = {
  readonly maxPerPrincipal: number;
  readonly maxTotal: number;
  readonly keepAliveMs: number;
};

export type CallConfig = {
  readonly deadlineMs: number;
  readonly graceMs: number;
  readonly idempotencyTtlMs: number;
};

export type BffConfig = {
  readonly isEnabled: boolean;
  readonly waitMs: number;
  readonly deadlineMs: number;
  readonly heartbeatMs: number;
};

type Env = z.output<typeof gatewayEnv>;

export function toGatewayConfig(env: Env): GatewayConfig {
  return {
    service: serviceConfig('gateway', env, { opsPort: env.GATEWAY_OPS_PORT, httpPort: env.GATEWAY_PORT }),
    databaseUrl: env.GATEWAY_DATABASE_URL,
    queueUrl: env.QUEUE_URL,
    sealKey: env.SWITCHYARD_SEAL_KEY,
    registryUrl: env.GATEWAY_REGISTRY_URL,
    tokenBrokerUrl: env.GATEWAY_TOKEN_BROKER_URL,
    dispatchUrls: env.GATEWAY_DISPATCH_URL,
    agentRunnerUrls: env.GATEWAY_AGENT_RUNNER_URL,
    egress: { allowPrivate: env.SWITCHYARD_EGRESS_ALLOW_PRIVATE },
    isAuthEnforced: env.GATEWAY_ENFORCE_AUTH_ON_INFERENCE,
    oauth: oauthConfig(env),
    edge: edgeConfig(env),
    streams: {
      maxPerPrincipal: env.GATEWAY_STREAMS_PER_KEY,
      maxTotal: env.GATEWAY_STREAMS_MAX,
      keepAliveMs: env.GATEWAY_KEEP_ALIVE,
    },
    calls: {
      deadlineMs: env.GATEWAY_CALL_DEADLINE,
      graceMs: env.GATEWAY_DEADLINE_GRACE,
      idempotencyTtlMs: env.GATEWAY_IDEMPOTENCY_TTL,
    },
    resultCacheBytes: env.GATEWAY_RESULT_CACHE_BYTES,
    isMcpEnabled: env.GATEWAY_MCP_ENABLED,
    bff: {
      isEnabled: env.GATEWAY_BFF_ENABLED,
      waitMs: env.GATEWAY_BFF_WAIT,
      deadlineMs: env.GATEWAY_BFF_DEADLINE,
      heartbeatMs: env.GATEWAY_BFF_HEARTBEAT,
    },
  };
}

function oauthConfig(env: Env): OAuthConfig {
  const issuer = env.GATEWAY_PUBLIC_URL ?? env.SWITCHYARD_PUBLIC_URL;
  return {
    mode: env.GATEWAY_MCP_SERVER_AUTH_MODE,
    issuer: issuer === undefined ? undefined : new URL(issuer).origin,
    accessTtlMs: env.GATEWAY_OAUTH_ACCESS_TTL,
    grantTtlMs: env.GATEWAY_OAUTH_GRANT_TTL,
    registrationsPerHour: env.GATEWAY_OAUTH_REGISTRATIONS_PER_HOUR,
    operatorKeySha256: env.GATEWAY_ADMIN_KEY_SHA256 ?? null,
  };
}

function edgeConfig(env: Env): EdgeConfig {
  return {
    listenHost: env.SWITCHYARD_HOST,
    publicUrl: env.GATEWAY_PUBLIC_URL,
    trustedProxies: env.GATEWAY_TRUSTED_PROXIES,
    allowedHosts: env.GATEWAY_ALLOWED_HOSTS,
    allowedOrigins: env.GATEWAY_ALLOWED_ORIGINS,
    bodyLimitBytes: env.GATEWAY_BODY_LIMIT_BYTES,
    bodyTimeoutMs: env.GATEWAY_BODY_TIMEOUT,
    json: { maxDepth: env.GATEWAY_JSON_MAX_DEPTH, maxElements: env.GATEWAY_JSON_MAX_ELEMENTS },
  };
}
