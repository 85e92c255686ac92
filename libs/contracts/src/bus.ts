import { z } from 'zod';
import { CredentialState } from './credentials.js';
import { ClientSide, ToolCallOutcome } from './tool-calls.js';
import { IntegrationState } from './upstreams.js';

/**
 * A topic of the bus. Messages are hints that something changed: whoever misses one finds the truth in the
 * database (version rows are polled every second).
 */
export type BusTopic<M extends z.ZodType = z.ZodType> = {
  readonly name: string;
  readonly what: string;
  readonly message: M;
};

function defineTopic<M extends z.ZodType>(topic: BusTopic<M>): BusTopic<M> {
  return topic;
}

/** What a client answered: an MCP result, or a JSON-RPC error. */
export const QuestionAnswer = z.union([
  z.strictObject({ result: z.record(z.string(), z.unknown()) }),
  z.strictObject({ error: z.looseObject({ code: z.number().int(), message: z.string() }) }),
]);
export type QuestionAnswer = z.infer<typeof QuestionAnswer>;

export const topics = {
  registryChanged: defineTopic({
    name: 'registry-changed',
    what: 'A row of the registry changed.',
    message: z.strictObject({
      entity: z.enum([
        'organization',
        'integration',
        'virtual_key',
        'user',
        'identity_provider',
        'policy',
        'tool_group',
        'toolset',
        'agent',
        'schedule',
        'webhook',
      ]),
      change: z.enum(['created', 'updated', 'deleted', 'revoked']),
      orgId: z.uuid(),
      id: z.uuid(),
    }),
  }),
  catalogChanged: defineTopic({
    name: 'catalog-changed',
    what: 'The tools, prompts, resources or the state of an integration changed.',
    message: z.strictObject({
      orgId: z.uuid(),
      integrationId: z.uuid(),
      state: IntegrationState,
      toolsChanged: z.boolean(),
      /** Prompts, resources, templates or instructions. */
      featuresChanged: z.boolean().optional(),
    }),
  }),
  questionAsked: defineTopic({
    name: 'question-asked',
    what: 'The upstream of a call asks its client; for the replica that serves the client’s retry, where that is another one.',
    message: z.strictObject({
      callId: z.uuid(),
      questionId: z.uuid(),
      method: z.string(),
      params: z.record(z.string(), z.unknown()),
    }),
  }),
  questionAnswered: defineTopic({
    name: 'question-answered',
    what: 'A client’s answer to the question of a call, for the worker that holds the upstream request open.',
    message: z.strictObject({
      callId: z.uuid(),
      questionId: z.uuid(),
      answer: QuestionAnswer,
      /** `Sealer` over call, question and answer: nobody else answers for a client. */
      seal: z.string(),
    }),
  }),
  clientAnswered: defineTopic({
    name: 'client-answered',
    what: 'A legacy MCP client answered a request of the gateway at another replica than the one that asked.',
    message: z.strictObject({
      sessionId: z.string(),
      requestId: z.uuid(),
      answer: QuestionAnswer,
      seal: z.string(),
    }),
  }),
  parkedCallEnded: defineTopic({
    name: 'parked-call-ended',
    what: 'A call ended of which the client was asked something; for the replica that serves the client’s retry, where that is another one.',
    message: z.strictObject({ callId: z.uuid(), outcome: ToolCallOutcome }),
  }),
  mcpSessionChanged: defineTopic({
    name: 'mcp-session-changed',
    what: 'The client of a legacy MCP session chose its log level, subscribed to a resource, or ended it; every replica may be asked next.',
    message: z.strictObject({
      sessionId: z.string(),
      /** Whose session it is: what they have it remember is counted together. */
      holder: z.string().max(256).optional(),
      logLevel: ClientSide.shape.logLevel,
      /** Outward URIs. */
      subscribed: z.array(z.string()).max(1_000).optional(),
      unsubscribed: z.array(z.string()).max(1_000).optional(),
      /** The client ended the session. */
      hasEnded: z.literal(true).optional(),
    }),
  }),
  mcpSessionWanted: defineTopic({
    name: 'mcp-session-wanted',
    what: 'A gateway replica meets a legacy MCP session for the first time; whoever knows what its client chose says so again.',
    message: z.strictObject({ sessionId: z.string() }),
  }),
  resourcesWanted: defineTopic({
    name: 'resources-wanted',
    what: 'The resources to whose updates clients of a gateway replica are subscribed; repeated every 15 s, forgotten after 45 s.',
    message: z.strictObject({
      replicaId: z.uuid(),
      resources: z.array(z.strictObject({ integrationId: z.uuid(), uri: z.string() })).max(10_000),
    }),
  }),
  resourceUpdated: defineTopic({
    name: 'resource-updated',
    what: 'An upstream said that a resource changed. The URI is the upstream’s own.',
    message: z.strictObject({ integrationId: z.uuid(), uri: z.string() }),
  }),
  grantRevoked: defineTopic({
    name: 'grant-revoked',
    what: 'A user took back what an OAuth client of the gateway may do; its tokens end at once.',
    message: z.strictObject({ orgId: z.uuid(), grantId: z.uuid() }),
  }),
  credentialChanged: defineTopic({
    name: 'credential-changed',
    what: 'A stored credential was connected, refreshed in another state, or disconnected; leases of it are forgotten.',
    message: z.strictObject({
      orgId: z.uuid(),
      integrationId: z.uuid(),
      /** Null: the integration's own. */
      userId: z.uuid().nullable(),
      state: CredentialState.nullable(),
    }),
  }),
  toolCallCancel: defineTopic({
    name: 'tool-call-cancel',
    what: 'The worker that runs the call should abort it, if it is safe or unsent.',
    message: z.strictObject({ callId: z.uuid() }),
  }),
  requestCancelled: defineTopic({
    name: 'request-cancelled',
    what: 'A legacy MCP client cancelled a request that another gateway replica serves.',
    message: z.strictObject({
      sessionId: z.string(),
      /** The JSON text of the JSON-RPC id: 1 and "1" are two requests. */
      requestId: z.string(),
    }),
  }),
  toolCallEnded: defineTopic({
    name: 'tool-call-ended',
    what: 'A ledger-first call ended; its row has the outcome.',
    message: z.strictObject({ callId: z.uuid() }),
  }),
  runCancelled: defineTopic({
    name: 'run-cancelled',
    what: 'Somebody cancelled a run; the runner that drives it stops the model and asks to cancel its calls.',
    message: z.strictObject({ runId: z.uuid() }),
  }),
  runChanged: defineTopic({
    name: 'run-changed',
    what: 'Something of a run became durable: a step, the end of a call, its own end. Its rows have it.',
    message: z.strictObject({ runId: z.uuid() }),
  }),
  runWords: defineTopic({
    name: 'run-words',
    what: 'What the model is saying in a step that is not durable yet, for those who watch the run. A hint: the step’s row has all of it.',
    message: z.strictObject({
      runId: z.uuid(),
      /** Who asks the model: after a crash another asks again, and its words begin anew. */
      fence: z.int(),
      step: z.int().nonnegative(),
      kind: z.enum(['text', 'reasoning']),
      /** Where in the step's text these words begin, in UTF-16 code units. */
      at: z.int().nonnegative(),
      words: z.string(),
    }),
  }),
  runWatched: defineTopic({
    name: 'run-watched',
    what: 'Somebody begins to watch a run in the middle of a step: its runner says all that the model has said so far.',
    message: z.strictObject({ runId: z.uuid() }),
  }),
  approvalDecided: defineTopic({
    name: 'approval-decided',
    what: 'A call that waited for a person waits no more: approved, denied, expired, cancelled or stale. The ledger says which.',
    message: z.strictObject({ orgId: z.uuid(), callId: z.uuid(), runId: z.uuid().nullable() }),
  }),
  upstreamAnswered: defineTopic({
    name: 'upstream-answered',
    what: 'A call to the upstream was answered, which counts as a health check. Sent at most every few seconds per integration.',
    message: z.strictObject({ integrationId: z.uuid(), at: z.number().int() }),
  }),
  breakerChanged: defineTopic({
    name: 'breaker-changed',
    what: 'The circuit breaker of an integration moved; workers read its row.',
    message: z.strictObject({ integrationId: z.uuid() }),
  }),
  breakerReset: defineTopic({
    name: 'breaker-reset',
    what: 'An admin resets the circuit breaker of an integration.',
    message: z.strictObject({ integrationId: z.uuid() }),
  }),
} as const;

export type MessageOf<T> = T extends BusTopic<infer M> ? z.output<M> : never;
