import { Injectable } from '@nestjs/common';
import { type AgentDefinition, PlatformError, toPlatformError } from '@switchyard/contracts';
import { EgressPolicy } from '@switchyard/mcp-client';
import {
  type AskedToolCall,
  askModel,
  createModel,
  failureOutput,
  type ModelAnswer,
  ModelSettings,
  type ModelTools,
  problemOutput,
  type ToolOutput,
  toModelTools,
} from '@switchyard/models';
import { ArgumentValidator, type CheckedTool } from '@switchyard/tool-arguments';
import { callIdOf, requestIdOf } from '../calls/run-ids.js';
import { digestOf } from '../digest-of.js';
import { ModelKeys } from '../agents/model-keys.service.js';
import type { NewCall, NewStep } from '../runs/progress.repository.js';
import type { PlannedTool, RunData, RunPlan, RunStep } from '../runs/run-data.js';
import { WordsOut } from '../watch/words-out.service.js';
import { conversationFor, instructionsOf } from './conversation.js';
import { StopRun } from './stop.js';

type Asked = {
  readonly kind: RunStep['kind'];
  readonly position: number;
  /** Of the claim under which it is asked, for those who hear the words of two runners. */
  readonly fence: number;
  /** Throws `StopRun` where another has the run by now, and may have stored the step's answer. */
  readonly confirm: () => Promise<void>;
};
type Answered = { readonly step: NewStep; readonly calls: readonly NewCall[] };

/** Asks the model for one step of a run. */
@Injectable()
export class ModelStepsService {
  constructor(
    private readonly keys: ModelKeys,
    private readonly egress: EgressPolicy,
    private readonly words: WordsOut,
    private readonly validator: ArgumentValidator,
  ) {}

  /** What the model said, or why it said nothing; nothing is stored yet. Throws where the signal fired. */
  async ask(data: RunData, asked: Asked, signal: AbortSignal): Promise<Answered> {
    const { agent, plan } = data.run;
    if (!agent || !plan) throw new Error('a run is asked before it is planned');
    const tools = toModelTools(plan.tools);
    const { kind, position } = asked;
    const step = { kind, position, requestId: requestIdOf(data.run, position), startedAt: new Date() };
    try {
      const answer = await this.#answer({ agent, data, asked, tools }, signal);
      const calls = asked.kind === 'synthesis' ? [] : answer.toolCalls;
      return {
        step: { ...step, answer, error: null },
        calls: calls
          .map((call, position) => toCall(call, { data, plan, tools, step: asked.position, position }))
          .map((call) => this.#checked(call, plan)),
      };
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof StopRun) throw thrown;
      return { step: { ...step, answer: null, error: toPlatformError(thrown).toInfo() }, calls: [] };
    }
  }

  /** As every face has it: what does not fit is no call, and no person is asked about it. The model may try again. */
  #checked(call: NewCall, { tools }: RunPlan): NewCall {
    const tool = call.state !== 'ended' && tools.find(({ outwardName }) => outwardName === call.outwardName);
    const error = tool && this.validator.check(toChecked(tool), call.asked.arguments);
    if (!error) return call;
    const output = failureOutput(error, { outwardName: tool.outwardName });
    return { ...call, state: 'ended', outcome: { status: 'not_made', error }, output };
  }

  async #answer(
    { agent, data, asked, tools }: { agent: AgentDefinition; data: RunData; asked: Asked; tools: ModelTools },
    signal: AbortSignal,
  ): Promise<ModelAnswer> {
    const settings = ModelSettings.safeParse(agent.model);
    if (!settings.success)
      throw new PlatformError('model_rejected', { message: 'The agent’s model settings do not fit.' });
    const model = createModel(settings.data, await this.keys.keyOf(agent), this.egress);
    const request = {
      instructions: instructionsOf(agent),
      messages: conversationFor(asked.kind, data),
      tools: tools.toolSet,
      toolChoice: asked.kind === 'synthesis' ? 'none' : 'auto',
      signal,
    } as const;
    // The key may have taken any time to come.
    await asked.confirm();
    const { id: runId, caller } = data.run;
    if (caller.runKind !== 'chat') return askModel(model, request);
    const spoken = this.words.begin({ runId, fence: asked.fence, step: asked.position });
    try {
      return await askModel(model, {
        ...request,
        onPart: (part) => spoken.take(part),
        onAgain: () => spoken.begin(),
      });
    } finally {
      this.words.end(spoken);
    }
  }
}

function toChecked({
  tool: name,
  integrationSlug: integration,
  wire: { inputSchema },
}: PlannedTool): CheckedTool {
  const key = digestOf(JSON.stringify(inputSchema));
  return { key, name, integration, inputSchema };
}

type Place = { data: RunData; plan: RunPlan; tools: ModelTools; step: number; position: number };

/** In one turn: results of others may talk a model into any number. */
const mostCalls = 64;
const mostCallsOfRun = 256;
const tooMany: ToolOutput = {
  type: 'error-text',
  value: `Only ${mostCalls} calls are made in one turn, and ${mostCallsOfRun} in one run.`,
};

function hasRoom({ calls }: RunData, position: number): boolean {
  return position < mostCalls && calls.length + position < mostCallsOfRun;
}

/** Whatever the model names: a tool outside of the plan is no call. */
function toCall(asked: AskedToolCall, { data, plan, tools, step, position }: Place): NewCall {
  const named = tools.outwardNameOf(asked.name);
  const tool = plan.tools.find((planned) => planned.outwardName === named);
  const callId = callIdOf(data.run, { step, position, modelCallId: asked.id, attempt: 0 });
  const { outwardName = null, integrationId = null } = tool ?? {};
  const call = { position, callId, asked, outwardName, integrationId };
  if (!hasRoom(data, position)) return notMade(call, 'too_many_calls', tooMany);
  const problem = asked.problem ?? (tool ? undefined : 'unknown_tool');
  if (problem) return notMade(call, problem, problemOutput(problem));
  const state = tool?.mode === 'auto_execute' ? 'ready' : 'approval_wanted';
  return { ...call, state, outcome: null, output: null };
}

function notMade(
  call: Omit<NewCall, 'state' | 'outcome' | 'output'>,
  problem: string,
  output: ToolOutput,
): NewCall {
  return { ...call, state: 'ended', outcome: { status: 'not_made', problem }, output };
}
