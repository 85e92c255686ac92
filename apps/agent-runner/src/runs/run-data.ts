import type {
  AgentDefinition,
  CallerContext,
  ErrorInfo,
  ExecutionMode,
  RunInput,
  RunOutput,
  RunState,
} from '@switchyard/contracts';
import type { AskedToolCall, ModelAnswer, ModelMessage, ToolOutput } from '@switchyard/models';
import type { LeftOutTool, OfferedTool } from '../ports/tool-planner.js';

export type PlannedTool = OfferedTool & { readonly mode: ExecutionMode };
/** What the run may use, and what it was denied and why. Written once. */
export type RunPlan = { readonly tools: readonly PlannedTool[]; readonly leftOut: readonly LeftOutTool[] };

/** A run as its row has it. */
export type Run = {
  readonly id: string;
  readonly orgId: string;
  readonly agentId: string;
  readonly conversationId: string | null;
  readonly caller: CallerContext;
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

export type RunCallState = 'ready' | 'waiting_approval' | 'waiting_reauth' | 'ended';

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
