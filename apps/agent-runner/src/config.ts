import type { Lane } from '@switchyard/contracts';
import {
  booleanFlag,
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

export const agentRunnerEnv = z.object({
  ...serviceEnv,
  AGENT_RUNNER_OPS_PORT: portNumber()
    .default(0)
    .describe('Port of health, readiness and metrics; 0 is a free one.'),
  AGENT_RUNNER_DATABASE_URL: secret().describe('PostgreSQL as the runs’ own role.'),
  AGENT_RUNNER_DATABASE_POOL_SIZE: wholeNumber({ min: 2, max: 200 })
    .default(20)
    .describe('Connections to PostgreSQL.'),
  SWITCHYARD_EGRESS_ALLOW_PRIVATE: booleanFlag()
    .default(false)
    .describe('Development only: models on loopback and private addresses, and plain http to them.'),
  AGENT_RUNNER_CONCURRENCY: wholeNumber({ min: 1, max: 1_000 })
    .default(64)
    .describe('Chats’ runs that one process drives at once; runs that wait for a person do not count.'),
  AGENT_RUNNER_BACKGROUND_CONCURRENCY: wholeNumber({ min: 1, max: 1_000 })
    .default(32)
    .describe('The same for runs of schedules and webhooks: neither kind ever waits for the other.'),
  AGENT_RUNNER_ORG_SHARE: wholeNumber({ min: 1, max: 100 })
    .default(50)
    .describe(
      'Percent of either kind of slots that runs of one organization may have at one process, where others have agents.',
    ),
  AGENT_RUNNER_RUNS_PER_USER: wholeNumber({ min: 1, max: 10_000 })
    .default(32)
    .describe(
      'Runs of chats that one user may have at once, and eight times as many that wait for a person.',
    ),
  AGENT_RUNNER_RESULT_BYTES: wholeNumber({ min: 1_000, max: 100_000_000 })
    .default(2_000_000)
    .describe('Bytes of results that a model may read in one run; then it is asked for its answer.'),
  AGENT_RUNNER_RUN_RETENTION_DAYS: wholeNumber({ min: 1, max: 3_650 })
    .default(90)
    .describe(
      'Days for which ended runs of schedules and webhooks are kept, with all that was said in them.',
    ),
  AGENT_RUNNER_CONVERSATION_RETENTION_DAYS: wholeNumber({ min: 1, max: 3_650 })
    .default(365)
    .describe('Days for which a conversation in which nothing is said any more is kept, with its runs.'),
  AGENT_RUNNER_LEASE_MS: durationMs().default(6_000).describe('How long a process that died keeps its runs.'),
  AGENT_RUNNER_SWEEP_TICK_MS: durationMs()
    .default(1_000)
    .describe('How often a process looks for runs that nobody drives.'),
  AGENT_RUNNER_RECONCILE_MS: durationMs()
    .default(30_000)
    .describe(
      'How often a process compares the queue’s job schedulers with the schedules, and looks for missed times.',
    ),
  AGENT_RUNNER_PORT: portNumber()
    .default(0)
    .describe('Port of chat, runs and webhooks, which the gateway forwards; 0 is a free one.'),
  AGENT_RUNNER_ADMIN_KEY_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')
    .optional()
    .describe('Digest of the operator’s admin key (REGISTRY_ADMIN_KEY), which the runner itself never sees.'),
  AGENT_RUNNER_CHAT_WAIT_MS: durationMs()
    .default(120_000)
    .describe('How long an answer of a chat without streaming is waited for.'),
  AGENT_RUNNER_CHAT_HOLD_MS: durationMs()
    .default(300_000)
    .describe('How long a stream of a chat stays open while its run waits for a person.'),
  AGENT_RUNNER_STREAMS_PER_USER: wholeNumber({ min: 1, max: 10_000 })
    .default(20)
    .describe('Streams and waiting requests of chats that one user may have open at one process.'),
});

export type RunnerSettings = {
  readonly concurrency: Readonly<Record<Lane, number>>;
  /** Percent. */
  readonly orgShare: number;
  readonly resultBytes: number;
  readonly leaseMs: number;
  readonly sweepTickMs: number;
  readonly reconcileMs: number;
};

export type ChatSettings = {
  readonly waitMs: number;
  readonly holdMs: number;
  readonly streamsPerUser: number;
  readonly runsPerUser: number;
};

export type RetentionSettings = { readonly runDays: number; readonly conversationDays: number };

export type AgentRunnerConfig = {
  readonly service: ServiceConfig;
  readonly database: { readonly url: Secret; readonly poolSize: number };
  readonly queueUrl: Secret;
  readonly sealKey: Secret;
  /** For tests that share a store. */
  readonly queuePrefix?: string;
  readonly egress: { readonly allowPrivate: boolean };
  readonly runner: RunnerSettings;
  readonly chat: ChatSettings;
  readonly retention: RetentionSettings;
  /** Hex. */
  readonly adminKeySha256: string | null;
};

export function toAgentRunnerConfig(env: z.output<typeof agentRunnerEnv>): AgentRunnerConfig {
  return {
    service: serviceConfig('agent-runner', env, {
      opsPort: env.AGENT_RUNNER_OPS_PORT,
      httpPort: env.AGENT_RUNNER_PORT,
    }),
    database: { url: env.AGENT_RUNNER_DATABASE_URL, poolSize: env.AGENT_RUNNER_DATABASE_POOL_SIZE },
    queueUrl: env.QUEUE_URL,
    sealKey: env.SWITCHYARD_SEAL_KEY,
    egress: { allowPrivate: env.SWITCHYARD_EGRESS_ALLOW_PRIVATE },
    runner: {
      concurrency: {
        interactive: env.AGENT_RUNNER_CONCURRENCY,
        background: env.AGENT_RUNNER_BACKGROUND_CONCURRENCY,
      },
      orgShare: env.AGENT_RUNNER_ORG_SHARE,
      resultBytes: env.AGENT_RUNNER_RESULT_BYTES,
      leaseMs: env.AGENT_RUNNER_LEASE_MS,
      sweepTickMs: env.AGENT_RUNNER_SWEEP_TICK_MS,
      reconcileMs: env.AGENT_RUNNER_RECONCILE_MS,
    },
    chat: {
      waitMs: env.AGENT_RUNNER_CHAT_WAIT_MS,
      holdMs: env.AGENT_RUNNER_CHAT_HOLD_MS,
      streamsPerUser: env.AGENT_RUNNER_STREAMS_PER_USER,
      runsPerUser: env.AGENT_RUNNER_RUNS_PER_USER,
    },
    retention: {
      runDays: env.AGENT_RUNNER_RUN_RETENTION_DAYS,
      conversationDays: env.AGENT_RUNNER_CONVERSATION_RETENTION_DAYS,
    },
    adminKeySha256: env.AGENT_RUNNER_ADMIN_KEY_SHA256 ?? null,
  };
}
