import { describe, expect, it } from '@jest/globals';
import { AgentDefinition, PlatformError } from '@switchyard/contracts';
import type { ModelAnswer } from '@switchyard/models';
import { oversizeOutput } from '../calls/oversize.js';
import type { RunCall, RunCallState, RunData, RunStep } from '../runs/run-data.js';
import { decideNext } from './decide-next.js';

const id = '00000000-0000-4000-8000-000000000001';

function agent(overrides: object = {}) {
  return AgentDefinition.parse({
    ...{ id, orgId: id, slug: 'a', name: 'A', instructions: '', grants: [], execution: {} },
    ...{ model: { provider: 'openai', model: 'm' }, isActive: true, version: 1, ...overrides },
  });
}

function answered(position: number, text = '', kind: RunStep['kind'] = 'turn'): RunStep {
  const answer = { text, finishReason: 'stop' } as ModelAnswer;
  return { position, kind, requestId: id, answer, error: null };
}

function failed(position: number, kind: RunStep['kind'] = 'turn'): RunStep {
  const error = new PlatformError('model_unavailable').toInfo();
  return { position, kind, requestId: id, answer: null, error };
}

function calls(step: number, ...states: RunCallState[]): RunCall[] {
  return states.map((state, position) => ({
    ...{ step, position, callId: id, attempt: 0, requestId: id, outwardName: 'up_add', state },
    ...{ asked: { id: `c${position}`, name: 'up_add', arguments: {} }, output: null },
    outcome: state === 'ended' ? { status: 'completed' } : null,
    isDecided: false,
  }));
}

function run(steps: RunStep[], made: RunCall[] = [], overrides: object = {}, changes: object = {}): RunData {
  const whole = { agent: agent(overrides), plan: { tools: [], leftOut: [] }, cancelRequested: false };
  return { run: { ...whole, ...changes } as unknown as RunData['run'], steps, calls: made };
}

describe('decideNext', () => {
  it('plans, asks, and ends with words', () => {
    expect(decideNext(run([], [], {}, { agent: null, plan: null }))).toEqual({ do: 'plan' });
    expect(decideNext(run([]))).toEqual({ do: 'ask', kind: 'turn', position: 0 });
    expect(decideNext(run([answered(0, 'Hello.')]))).toEqual({
      do: 'complete',
      output: { kind: 'text', text: 'Hello.', finishReason: 'stop' },
    });
  });

  it('asks again after the results, and for a synthesis once the depth is reached', () => {
    const done = calls(0, 'ended', 'ended');
    expect(decideNext(run([answered(0)], done))).toEqual({ do: 'ask', kind: 'turn', position: 1 });
    expect(decideNext(run([answered(0)], done, { maxDepth: 1 }))).toMatchObject({ kind: 'synthesis' });
    expect(decideNext(run([answered(0)], done, { agenticMode: false }))).toMatchObject({
      do: 'complete',
      output: { kind: 'tool_results' },
    });
  });

  it('asks for a synthesis once a result had no room in the run', () => {
    const done = calls(0, 'ended', 'ended').map((call, at) => ({
      ...call,
      output: at ? oversizeOutput : null,
    }));
    expect(decideNext(run([answered(0)], done))).toEqual({ do: 'ask', kind: 'synthesis', position: 1 });
  });

  it.each([
    ['run_auto', ['ready', 'waiting_approval'], 'call'],
    ['hold_all', ['ready', 'waiting_approval'], 'waiting_approval'],
    ['hold_all', ['ready', 'ended'], 'call'],
    ['hold_all', ['ready', 'waiting_reauth'], 'call'],
    ['run_auto', ['ready', 'approval_wanted', 'waiting_approval'], 'ask_approval'],
    ['run_auto', ['ended', 'waiting_approval', 'waiting_reauth'], 'waiting_approval'],
    ['run_auto', ['ended', 'waiting_reauth'], 'waiting_reauth'],
  ] as const)('in a turn of a %s agent with calls %j: %s', (mixedTurn, states, expected) => {
    const next = decideNext(run([answered(0)], calls(0, ...states), { mixedTurn }));
    expect(next.do === 'park' ? next.state : next.do).toBe(expected);
    if (next.do === 'call') expect(next.calls.map(({ state }) => state)).toEqual(['ready']);
  });

  it('falls back to the results where the model fails after them, and fails where there are none', () => {
    expect(decideNext(run([failed(0)]))).toMatchObject({ do: 'fail', error: { code: 'model_unavailable' } });
    const next = decideNext(run([answered(0), failed(1)], calls(0, 'ended')));
    expect(next).toMatchObject({
      do: 'complete',
      output: { kind: 'tool_results', modelError: { code: 'model_unavailable' } },
    });
    const silent = [answered(0), answered(1, '', 'synthesis')];
    expect(decideNext(run(silent, calls(0, 'ended')))).toMatchObject({ output: { kind: 'tool_results' } });
  });

  it('cancels before anything else', () => {
    const open = run([answered(0)], calls(0, 'ready'), {}, { cancelRequested: true });
    expect(decideNext(open)).toEqual({ do: 'cancel' });
  });
});
