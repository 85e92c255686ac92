import { z } from 'zod';
import { ApprovalTerms, ExecutionMode } from './approvals.js';
import { CallerContext, Role } from './callers.js';
import { ErrorInfo } from './errors.js';

/** The states of an agent's run and the moves between them. */
export const runTransitions = {
  queued: ['running', 'failed', 'cancelled'],
  running: ['queued', 'waiting_approval', 'waiting_reauth', 'completed', 'failed', 'cancelled'],
  waiting_approval: ['queued', 'failed', 'cancelled'],
  waiting_reauth: ['queued', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
} as const;

export type RunState = keyof typeof runTransitions;

export const runStates = Object.keys(runTransitions) as [RunState, ...RunState[]];

export const RunStateSchema = z.enum(runStates);

/** States that nothing leaves. Derived from the table. */
export const terminalRunStates = runStates.filter((state) => runTransitions[state].length === 0);

/** Whether the table allows the move. */
export function canRunMove(from: RunState, to: RunState): boolean {
  return (runTransitions[from] as readonly RunState[]).includes(to);
}

/** Integrations, and tools of them, that an agent may use; as `mcp_configs` everywhere: absent or null tools are all. */
export const AgentGrant = z.strictObject({
  mcp_client_name: z.string().min(1),
  tools_to_execute: z.array(z.string()).nullable().optional(),
});
export type AgentGrant = z.infer<typeof AgentGrant>;

/** Which users may chat with an agent. */
export const ChatAccess = z.strictObject({
  everyone: z.boolean().default(false),
  roles: z.array(Role).max(64).default([]),
  userIds: z.array(z.uuid()).max(1_000).default([]),
});
export type ChatAccess = z.output<typeof ChatAccess>;

/** An agent as its admin defined it. A run keeps the definition with which it began. */
export const AgentDefinition = z.strictObject({
  id: z.uuid(),
  orgId: z.uuid(),
  slug: z.string().min(1),
  name: z.string().min(1),
  instructions: z.string(),
  /** `ModelSettings` of libs/models; parsed by whoever asks the model. Holds no key. */
  model: z.looseObject({ provider: z.string(), model: z.string() }),
  /** None: no tools. */
  grants: z.array(AgentGrant),
  /** By outward name; `executionPolicy` of libs/access says what else is asked. */
  execution: z.strictObject({
    default: ExecutionMode.nullable().default(null),
    tools: z.record(z.string(), ExecutionMode).default({}),
  }),
  approval: ApprovalTerms.default(ApprovalTerms.parse({})),
  /** Nobody, unless it says so. */
  chatAccess: ChatAccess.default(ChatAccess.parse({})),
  /** Whether the vault holds a key of its model. */
  hasModelKey: z.boolean().default(false),
  /** How often the model may ask for tools in one run. */
  maxDepth: z.int().min(1).max(50).default(10),
  /** For one call, where the tool and its integration have no deadline of their own. */
  toolDeadlineMs: z.int().min(1_000).max(86_400_000).default(30_000),
  /** A turn with calls that need approval and others: run the others at once, or hold all until it is decided. */
  mixedTurn: z.enum(['run_auto', 'hold_all']).default('run_auto'),
  /** Where nobody is present: tools that need approval are not offered, or park the run. */
  unattendedApproval: z.enum(['leave_out', 'park']).default('leave_out'),
  /** False: the tools' results are the answer, and the model is not asked again. */
  agenticMode: z.boolean().default(true),
  isActive: z.boolean(),
  version: z.int(),
});
export type AgentDefinition = z.output<typeof AgentDefinition>;

const Names = z.array(z.string()).optional();

/**
 * What a run is asked to do. `data` was written by others, such as a webhook's payload: the model reads it as data. `filter` is
 * what the request leaves out of the agent's tools for this run, as the other faces take it.
 */
export const RunInput = z.strictObject({
  text: z.string(),
  data: z.strictObject({ source: z.string().min(1), text: z.string() }).optional(),
  filter: z
    .strictObject({ includeClients: Names, excludeClients: Names, includeTools: Names, excludeTools: Names })
    .optional(),
});
export type RunInput = z.infer<typeof RunInput>;

/** What a run ended with: the model's words, or the tools' results as they are. */
export const RunOutput = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: z.string(), finishReason: z.string() }),
  z.strictObject({
    kind: z.literal('tool_results'),
    results: z.array(
      z.strictObject({
        callId: z.uuid(),
        outwardName: z.string(),
        outcome: z.record(z.string(), z.unknown()),
      }),
    ),
    /** Why the model did not put them into words, where it should have. */
    modelError: ErrorInfo.optional(),
  }),
]);
export type RunOutput = z.infer<typeof RunOutput>;

/** A row of `runs.v_runs`. */
export const RunRecord = z.strictObject({
  id: z.uuid(),
  orgId: z.uuid(),
  agentId: z.uuid(),
  conversationId: z.uuid().nullable(),
  caller: CallerContext,
  state: RunStateSchema,
  iteration: z.int().nonnegative(),
  output: RunOutput.nullable(),
  error: ErrorInfo.nullable(),
  createdAt: z.date(),
  startedAt: z.date().nullable(),
  endedAt: z.date().nullable(),
});
export type RunRecord = z.infer<typeof RunRecord>;

/** Drive this run on from where it stands. The row has all else. */
export const AgentRunJob = z.strictObject({ v: z.literal(1), runId: z.uuid(), orgId: z.uuid() });
export type AgentRunJob = z.infer<typeof AgentRunJob>;
