import { z } from 'zod';
import { AuthPath, CallerContext, Lane } from './callers.js';
import { ErrorInfo } from './errors.js';

/**
 * What an upstream is asked to do. All of it takes the same way: one queue, one identity, one record. Absent means
 * `tools/call`; the others only read, so they are safe to repeat.
 */
export const UpstreamMethod = z.enum(['tools/call', 'prompts/get', 'resources/read', 'completion/complete']);
export type UpstreamMethod = z.infer<typeof UpstreamMethod>;

/** The facts of one accepted call. Its seal covers all of them, and through the digest the arguments too. */
export const ToolCall = z.strictObject({
  v: z.literal(1),
  /** UUIDv7; the job's id and the ledger's key. */
  callId: z.uuid(),
  integrationId: z.uuid(),
  method: UpstreamMethod.optional(),
  /** The name that the upstream knows: of a tool or a prompt; a URI, or a URI template, of a resource. */
  tool: z.string().min(1),
  /** What the caller named: `<slug>_<tool>`, or the namespaced URI. */
  outwardName: z.string().min(1),
  caller: CallerContext,
  lane: Lane,
  /** A ledger-first call has a row in the ledger before it is a job. */
  ledgerFirst: z.boolean(),
  /** Hex SHA-256 over the JSON text of the arguments. */
  argumentsSha256: z.string().length(64),
  /** Hex SHA-256 of the job's `subjectToken`; null where none travels with the call. */
  subjectTokenSha256: z.string().length(64).nullable(),
  /** Hex SHA-256 over the canonical JSON of the job's `resume`; absent where there is none. */
  resumeSha256: z.string().length(64).optional(),
  /** Epoch milliseconds. */
  acceptedAt: z.number().int(),
  /** Epoch milliseconds after which nobody wants the answer. */
  deadlineAt: z.number().int(),
  runId: z.uuid().nullable(),
  requestId: z.string().nullable(),
});
export type ToolCall = z.infer<typeof ToolCall>;

/** A call with the HMAC that the accepting face put on it (`libs/queue`, `Sealer`). */
export const SealedToolCall = z.strictObject({ call: ToolCall, seal: z.string() });
export type SealedToolCall = z.infer<typeof SealedToolCall>;

/** What the waiting client lets servers ask of it. Only what it declared is declared to the upstream. */
export const ClientSide = z.strictObject({
  /** MCP client capabilities `elicitation` (`form`, `url`), `sampling` and `roots`, as the client declared them. */
  capabilities: z.partialRecord(z.enum(['elicitation', 'sampling', 'roots']), z.looseObject({})).optional(),
  /** Lowest level of the log messages that the client wants; absent: none. */
  logLevel: z
    .enum(['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'])
    .optional(),
  /** Milliseconds that the upstream itself may take: time in which a question waits for a person does not count. */
  activeMs: z.number().int().positive(),
});
export type ClientSide = z.infer<typeof ClientSide>;

/** A client's answers to an `input_required` result of the same call (MCP 2026-07-28, multi round-trip requests). */
export const CallResume = z.strictObject({
  inputResponses: z.record(z.string(), z.unknown()).optional(),
  /** The upstream's own `requestState`, unwrapped from ours. */
  requestState: z.string().optional(),
});
export type CallResume = z.infer<typeof CallResume>;

/** The payload of both lanes. */
export const ToolCallJob = z.strictObject({
  v: z.literal(1),
  sealed: SealedToolCall,
  arguments: z.record(z.string(), z.unknown()),
  /** The user's JWT as a compact JWE to the broker's key (`broker.v_public_keys`): nobody else can read it. */
  subjectToken: z.string().max(32_768).optional(),
  /** The caller's `_meta` less its hop-scoped keys; trace keys travel in the job's envelope. */
  meta: z.record(z.string(), z.unknown()).optional(),
  /** Whether the caller wants progress. */
  progress: z.boolean(),
  /** Absent where nobody is there to be asked. */
  client: ClientSide.optional(),
  resume: CallResume.optional(),
  /** How often the call went back to its queue: 0 for the first job, n for `<call id>-r<n>`. */
  round: z.number().int().nonnegative(),
  /** Its turn under the integration's rate limit is reserved and has come. */
  rateAdmitted: z.boolean().optional(),
  /** Of the taking that gave the call back because the platform broke under it: what it began is this job's to judge. */
  heldBy: z.uuid().optional(),
  /** How many sends of the call reached or may have reached nobody, and were retried. */
  attempts: z.number().int().nonnegative(),
});
export type ToolCallJob = z.infer<typeof ToolCallJob>;

/** An MCP `CallToolResult`, passed through unchanged: only its frame is checked. */
export const ToolResult = z.looseObject({
  content: z.array(z.looseObject({ type: z.string() })).optional(),
  isError: z.boolean().optional(),
});
export type ToolResult = z.infer<typeof ToolResult>;

const ended = { callId: z.uuid(), authPath: AuthPath.nullable() };

/**
 * The key of a result's `_meta` under which its error stands (`ErrorInfo` from a worker): where a tool made its own result of
 * what failed between it and its client.
 */
export const errorMetaKey = 'io.switchyard/error';

/** How a call ended. A tool that answered `isError` is `completed`: the platform did its work. */
export const ToolCallOutcome = z.discriminatedUnion('status', [
  z.strictObject({ ...ended, status: z.literal('completed'), result: ToolResult }),
  z.strictObject({ ...ended, status: z.literal('failed'), error: ErrorInfo }),
  z.strictObject({ ...ended, status: z.literal('expired'), error: ErrorInfo }),
  z.strictObject({ ...ended, status: z.literal('cancelled'), error: ErrorInfo }),
  z.strictObject({ ...ended, status: z.literal('denied'), error: ErrorInfo }),
  z.strictObject({ ...ended, status: z.literal('outcome_unknown'), error: ErrorInfo }),
]);
export type ToolCallOutcome = z.infer<typeof ToolCallOutcome>;

/** What a worker tells the waiting face while the call runs. */
export const ToolCallEvent = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('progress'),
    progress: z.number(),
    total: z.number().optional(),
    message: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('log'),
    level: z.string(),
    logger: z.string().optional(),
    data: z.unknown(),
  }),
  /** A legacy upstream asks its client, in the middle of a call; the answer comes on `topics.questionAnswered`. */
  z.strictObject({
    kind: z.literal('question'),
    questionId: z.uuid(),
    method: z.enum(['elicitation/create', 'sampling/createMessage', 'roots/list']),
    params: z.record(z.string(), z.unknown()),
  }),
  /** A notification for the client alone that waits for this call. */
  z.strictObject({
    kind: z.literal('notification'),
    method: z.enum(['notifications/elicitation/complete']),
    params: z.record(z.string(), z.unknown()),
  }),
]);
export type ToolCallEvent = z.infer<typeof ToolCallEvent>;
