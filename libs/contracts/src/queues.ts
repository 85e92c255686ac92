import { z } from 'zod';
import { CallStateSchema } from './call-states.js';
import { ApprovalDecision, ApprovalDecisionAnswer } from './approvals.js';
import { AuditRecords } from './audit.js';
import { OAuthDiscovery, OAuthDiscoveryAnswer } from './credentials.js';
import { ErrorInfo } from './errors.js';
import {
  LeaseAnswer,
  LeaseRequest,
  SecretLeaseAnswer,
  SecretLeaseRequest,
  VaultWrite,
  VaultWriteAnswer,
} from './leases.js';
import { BrowserSession, BrowserSessionAnswer, UserRecord, UserRecordAnswer } from './people.js';
import { AgentRunJob, RunStateSchema } from './runs.js';
import { ScheduleJob, ScheduleOutcome } from './schedules.js';
import { ToolCallEvent, ToolCallJob, ToolCallOutcome } from './tool-calls.js';
import {
  CatalogSyncJob,
  CatalogSyncOutcome,
  StdioAnswer,
  StdioRequest,
  ToolApproval,
  ToolApprovalAnswer,
} from './upstreams.js';

/** Which process takes a queue's jobs. */
export type Consumer = 'dispatch' | 'token-broker' | 'catalog-sync' | 'registry' | 'agent-runner';

/**
 * One queue: what goes in, what comes back, who takes it. Payloads are parsed when enqueued and again when taken.
 * No queue retries by itself: whether a job may run again is its processor's decision (`docs/adr`, unknown outcome),
 * so jobs leave the store when they end, and the ledger is the record.
 */
export type QueueDefinition<
  P extends z.ZodType = z.ZodType,
  R extends z.ZodType = z.ZodType,
  E extends z.ZodType = z.ZodType,
> = {
  readonly name: string;
  readonly consumer: Consumer;
  readonly what: string;
  readonly payload: P;
  readonly result: R;
  /** What the processor may tell the waiting asker before the result. */
  readonly event: E;
};

function defineQueue<P extends z.ZodType, R extends z.ZodType, E extends z.ZodType = z.ZodNever>(
  definition: Omit<QueueDefinition<P, R, E>, 'event'> & { event?: E },
): QueueDefinition<P, R, E> {
  return { event: z.never() as unknown as E, ...definition };
}

const toolCalls = {
  consumer: 'dispatch',
  payload: ToolCallJob,
  result: ToolCallOutcome,
  event: ToolCallEvent,
} as const;

const agentRuns = {
  consumer: 'agent-runner',
  payload: AgentRunJob,
  result: z.strictObject({ state: RunStateSchema }),
} as const;

/** Every queue of the system. */
export const queues = {
  toolCallsInteractive: defineQueue({
    ...toolCalls,
    name: 'tool-calls-interactive',
    what: 'Tool calls for which somebody waits: `/mcp`, BFF and chat.',
  }),
  toolCallsBackground: defineQueue({
    ...toolCalls,
    name: 'tool-calls-background',
    what: 'Tool calls of the async API, schedules and webhooks.',
  }),
  toolCallCancellations: defineQueue({
    name: 'tool-call-cancellations',
    consumer: 'dispatch',
    what: 'A face asks to cancel a call; the answer is the state that the call has then.',
    payload: z.strictObject({ v: z.literal(1), callId: z.uuid(), orgId: z.uuid() }),
    result: z.discriminatedUnion('status', [
      z.strictObject({ status: z.literal('done'), state: CallStateSchema }),
      z.strictObject({ status: z.literal('refused'), error: ErrorInfo }),
    ]),
  }),
  tokenLeases: defineQueue({
    name: 'token-leases',
    consumer: 'token-broker',
    what: 'A worker asks for what it needs to call an upstream under the right identity.',
    payload: LeaseRequest,
    result: LeaseAnswer,
  }),
  secretLeases: defineQueue({
    name: 'secret-leases',
    consumer: 'token-broker',
    what: 'agent-runner asks for the key of an agent’s model, or for the secrets of a webhook.',
    payload: SecretLeaseRequest,
    result: SecretLeaseAnswer,
  }),
  approvalDecisions: defineQueue({
    name: 'approval-decisions',
    consumer: 'dispatch',
    what: 'A person decides, in a chat or by an answer to a question, about a call that waits for approval.',
    payload: ApprovalDecision,
    result: ApprovalDecisionAnswer,
  }),
  vaultWrites: defineQueue({
    name: 'vault-writes',
    consumer: 'token-broker',
    what: 'The registry hands over secret values, sealed to the broker.',
    payload: VaultWrite,
    result: VaultWriteAnswer,
  }),
  oauthDiscoveries: defineQueue({
    name: 'oauth-discoveries',
    consumer: 'token-broker',
    what: 'The registry asks what a server’s authorization metadata say, to fill an admin’s form.',
    payload: OAuthDiscovery,
    result: OAuthDiscoveryAnswer,
  }),
  auditRecords: defineQueue({
    name: 'audit-records',
    consumer: 'token-broker',
    what: 'Other services hand over what they refused at their doors, for the chained audit log.',
    payload: AuditRecords,
    result: z.strictObject({ written: z.number().int() }),
  }),
  userRecords: defineQueue({
    name: 'user-records',
    consumer: 'registry',
    what: 'A face has verified a person’s token and asks for the user that it belongs to.',
    payload: UserRecord,
    result: UserRecordAnswer,
  }),
  browserSessions: defineQueue({
    name: 'browser-sessions',
    consumer: 'token-broker',
    what: 'The gateway’s consent page asks who is signed in in a browser; the session is named by its digest.',
    payload: BrowserSession,
    result: BrowserSessionAnswer,
  }),
  toolApprovals: defineQueue({
    name: 'tool-approvals',
    consumer: 'catalog-sync',
    what: 'An admin approves tools of a pinned integration as they are now.',
    payload: ToolApproval,
    result: ToolApprovalAnswer,
  }),
  catalogSync: defineQueue({
    name: 'catalog-sync',
    consumer: 'catalog-sync',
    what: 'Connect an integration and bring its tools up to date.',
    payload: CatalogSyncJob,
    result: CatalogSyncOutcome,
  }),
  agentRuns: defineQueue({
    ...agentRuns,
    name: 'agent-runs',
    what: 'A run for which somebody waits begins or goes on: chats. The answer is the state it has then.',
  }),
  agentRunsBackground: defineQueue({
    ...agentRuns,
    name: 'agent-runs-background',
    what: 'The same for runs of schedules and webhooks, so that a burst of them keeps no chat waiting.',
  }),
  agentSchedules: defineQueue({
    name: 'agent-schedules',
    consumer: 'agent-runner',
    what: 'A schedule is due (its job scheduler says so), or somebody runs it now.',
    payload: ScheduleJob,
    result: ScheduleOutcome,
  }),
} as const;

/** The queue of one stdio integration. Only the dispatch worker that owns the child consumes it. */
export function stdioQueue(
  integrationId: string,
): QueueDefinition<typeof StdioRequest, typeof StdioAnswer, typeof ToolCallEvent> {
  return defineQueue({
    name: `stdio-${integrationId}`,
    consumer: 'dispatch',
    what: 'Calls, lists and pings for one stdio child; consumed by its owner alone.',
    payload: StdioRequest,
    result: StdioAnswer,
    event: ToolCallEvent,
  });
}

/** Priorities in `stdio-<integration id>`, where the lanes share one queue: the lower number goes first. */
export const stdioPriority = { ping: 1, interactive: 2, list: 3, background: 4 } as const;

/** The queue of runs of a lane. */
export function agentRunQueue(lane: 'interactive' | 'background') {
  return lane === 'interactive' ? queues.agentRuns : queues.agentRunsBackground;
}

/** The queue of calls of a lane. */
export function toolCallQueue(lane: 'interactive' | 'background') {
  return lane === 'interactive' ? queues.toolCallsInteractive : queues.toolCallsBackground;
}

export type PayloadOf<Q> = Q extends QueueDefinition<infer P, z.ZodType, z.ZodType> ? z.input<P> : never;
export type ParsedPayloadOf<Q> =
  Q extends QueueDefinition<infer P, z.ZodType, z.ZodType> ? z.output<P> : never;
export type ResultOf<Q> = Q extends QueueDefinition<z.ZodType, infer R, z.ZodType> ? z.output<R> : never;
export type EventOf<Q> = Q extends QueueDefinition<z.ZodType, z.ZodType, infer E> ? z.output<E> : never;
