import type {
  AgentDefinition,
  CallerContext,
  ErrorInfo,
  ExecutionMode,
  RunInput,
  RunOutput,
  RunState,
  WireTool,
} from '@switchyard/contracts';
import type { AskedToolCall, ModelAnswer, ModelMessage, ToolOutput } from '@switchyard/models';

/** A tool that the caller of a run can really call through its agent. */
export type PlannedTool = {
  readonly outwardName: string;
  /** By the upstream's own name. */
  readonly tool: string;
  readonly integrationId: string;
  readonly integrationSlug: string;
  readonly wire: WireTool;
  /** The tool's or its integration's own; null: the agent's. */
  readonly deadlineMs: number | null;
  readonly mode: ExecutionMode;
  /** Whether a call of it brings the user's token, sealed to the broker, to be exchanged. */
  readonly exchangesToken: boolean;
};
/** A tool, or all tools of an integration, that the agent is granted and this run does not have. */
export type LeftOutTool = { readonly name: string; readonly reason: string };
/** What the run may use, and what it was denied and why. Written once. */
export type RunPlan = { readonly tools: readonly PlannedTool[]; readonly leftOut: readonly LeftOutTool[] };

/** A run as its row has it. */
export type Run = {
  readonly id: string;
  readonly orgId: string;
  readonly agentId: string;
  readonly conversationId: string | null;
  readonly caller: CallerContext;
  /** The chat user's, sealed to the broker. */
  readonly subjectToken: string | null;
  readonly input: RunInput;
  readonly state: RunState;
  readonly agent: AgentDefinition | null;
  readonly plan: RunPlan | null;
  /** The conversation up to and with what the run is asked. */
  readonly history: readonly ModelMessage[] | null;
  readonly output: RunOutput | null;
  readonly error: ErrorInfo | null;
  readonly cancelRequested: boolean;
  readonly createdAt: Date;
};

/** One answer of the model, or its failure. */
export type RunStep = {
  readonly position: number;
  readonly kind: 'turn' | 'synthesis';
  readonly requestId: string;
  readonly answer: ModelAnswer | null;
  readonly error: ErrorInfo | null;
};

/** `approval_wanted`: it needs a person's approval, and the ledger does not have it yet. */
export type RunCallState = 'ready' | 'approval_wanted' | 'waiting_approval' | 'waiting_reauth' | 'ended';

/** A call that the model asked for. */
export type RunCall = {
  readonly step: number;
  readonly position: number;
  readonly callId: string;
  readonly attempt: number;
  readonly requestId: string;
  readonly asked: AskedToolCall;
  /** Null for a tool that the run does not have. */
  readonly outwardName: string | null;
  readonly state: RunCallState;
  /** A person approved it, or something else ended its wait for one. */
  readonly isDecided: boolean;
  /** A `ToolCallOutcome`, or why there was no call. */
  readonly outcome: Record<string, unknown> | null;
  readonly output: ToolOutput | null;
};

/** All of a run that is durable. */
export type RunData = {
  readonly run: Run;
  readonly steps: readonly RunStep[];
  readonly calls: readonly RunCall[];
};
