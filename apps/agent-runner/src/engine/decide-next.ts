import { type AgentDefinition, type ErrorInfo, PlatformError, type RunOutput } from '@switchyard/contracts';
import { isOversize } from '../calls/oversize.js';
import type { RunCall, RunData, RunStep } from '../runs/run-data.js';

/** What a run does next. */
export type NextStep =
  | { readonly do: 'plan' }
  | { readonly do: 'ask'; readonly kind: RunStep['kind']; readonly position: number }
  | { readonly do: 'call'; readonly calls: readonly RunCall[] }
  | { readonly do: 'ask_approval'; readonly calls: readonly RunCall[] }
  | { readonly do: 'park'; readonly state: 'waiting_approval' | 'waiting_reauth' }
  | { readonly do: 'complete'; readonly output: RunOutput }
  | { readonly do: 'fail'; readonly error: ErrorInfo }
  | { readonly do: 'cancel' };

/**
 * The loop of a run, as a rule over what is durable: whoever takes a run up, after whatever death, decides the same.
 * With a depth of 1 it is the one round with a synthesis that agents without a loop know.
 */
export function decideNext({ run, steps, calls }: RunData): NextStep {
  if (run.cancelRequested) return { do: 'cancel' };
  if (!run.agent || !run.plan) return { do: 'plan' };
  const last = steps.at(-1);
  if (!last) return { do: 'ask', kind: 'turn', position: 0 };
  if (!last.answer) return afterFailure(last, calls);
  const asked = calls.filter(({ step }) => step === last.position);
  if (last.kind === 'synthesis' || asked.length === 0) return inWords(last, calls);
  const open = asked.filter(({ state }) => state !== 'ended');
  if (open.length > 0) return withOpenCalls(open, run.agent);
  return withResults(last, run.agent, calls);
}

/** Without results there is nothing to fall back to. */
function afterFailure({ error }: RunStep, calls: readonly RunCall[]): NextStep {
  const modelError = error ?? new PlatformError('internal').toInfo();
  if (calls.length === 0) return { do: 'fail', error: modelError };
  return { do: 'complete', output: rawResults(calls, modelError) };
}

function inWords({ answer, kind }: RunStep, calls: readonly RunCall[]): NextStep {
  const { text = '', finishReason = 'other' } = answer ?? {};
  if (kind === 'synthesis' && text === '') return { do: 'complete', output: rawResults(calls) };
  return { do: 'complete', output: { kind: 'text', text, finishReason } };
}

function withOpenCalls(open: readonly RunCall[], { mixedTurn }: AgentDefinition): NextStep {
  const wanted = open.filter(({ state }) => state === 'approval_wanted');
  if (wanted.length > 0) return { do: 'ask_approval', calls: wanted };
  const ready = open.filter(({ state }) => state === 'ready');
  const isUndecided = open.some(({ state }) => state === 'waiting_approval');
  if (ready.length > 0 && !(isUndecided && mixedTurn === 'hold_all')) return { do: 'call', calls: ready };
  return { do: 'park', state: isUndecided ? 'waiting_approval' : 'waiting_reauth' };
}

function withResults(last: RunStep, agent: AgentDefinition, calls: readonly RunCall[]): NextStep {
  if (!agent.agenticMode) return { do: 'complete', output: rawResults(calls) };
  const position = last.position + 1;
  const mayGoOn = position < agent.maxDepth && !isOversize(calls);
  return { do: 'ask', kind: mayGoOn ? 'turn' : 'synthesis', position };
}

function rawResults(calls: readonly RunCall[], modelError?: ErrorInfo): RunOutput {
  const results = calls.map(({ callId, outwardName, asked, outcome }) => ({
    callId,
    outwardName: outwardName ?? asked.name,
    outcome: outcome ?? {},
  }));
  return { kind: 'tool_results', results, ...(modelError && { modelError }) };
}
