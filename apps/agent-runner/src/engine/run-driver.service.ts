import { Injectable } from '@nestjs/common';
import { PlatformError, type RunState, type ToolCallOutcome } from '@switchyard/contracts';
import { failureOutput, resultOutput } from '@switchyard/models';
import { RunCallsService } from '../calls/run-calls.service.js';
import { AgentsRepository } from '../agents/agents.repository.js';
import { LeftOutAudit } from '../planning/left-out-audit.service.js';
import { RunPlanner } from '../planning/run-planner.service.js';
import type { Claim } from '../runs/claims.repository.js';
import { type CallEnd, ProgressRepository, type RunEnd } from '../runs/progress.repository.js';
import type { Run, RunCall, RunData } from '../runs/run-data.js';
import { openingMessage } from './conversation.js';
import { decideNext, type NextStep } from './decide-next.js';
import { ModelStepsService } from './model-steps.service.js';
import { StopRun } from './stop.js';

/** When to let go: `now` at once, `soon` before the next step and while nothing but calls is waited for. */
export type StopSignals = { readonly now: AbortSignal; readonly soon: AbortSignal };

/** Drives one run: load → decide → do → store, step by step, until it ends or waits for somebody. */
@Injectable()
export class RunDriver {
  constructor(
    private readonly progress: ProgressRepository,
    private readonly agents: AgentsRepository,
    private readonly planner: RunPlanner,
    private readonly leftOut: LeftOutAudit,
    private readonly model: ModelStepsService,
    private readonly calls: RunCallsService,
  ) {}

  /** Gives the state in which it leaves the run. Throws `StopRun` where it stops before. */
  async drive(claim: Claim, stop: StopSignals): Promise<RunState> {
    for (;;) {
      stop.soon.throwIfAborted();
      const data = await this.progress.load(claim);
      const left = await this.#step(claim, data, stop);
      if (left) return left;
    }
  }

  /** Ends a run that no runner has brought forward. */
  async giveUp(claim: Claim): Promise<RunState> {
    if (!(await this.calls.cancelWaiting(claim.orgId, claim.runId)))
      throw new PlatformError('dependency_unavailable');
    const message = 'It was begun again several times and never came further.';
    return this.#end(claim, { state: 'failed', error: new PlatformError('internal', { message }).toInfo() });
  }

  /** Undefined: the run goes on. */
  async #step(claim: Claim, data: RunData, stop: StopSignals): Promise<RunState | undefined> {
    const next = decideNext(data);
    switch (next.do) {
      case 'plan':
        return this.#plan(claim, data.run);
      case 'ask':
        return this.#ask(claim, data, { ...next, signal: stop.now });
      case 'call':
        return this.#call(claim, data.run, { calls: next.calls, signal: stop.soon });
      case 'ask_approval':
        return this.#askApproval(claim, data.run, next.calls);
      case 'park':
        return this.#park(claim, next);
      case 'complete':
        return this.#end(claim, { state: 'completed', output: next.output });
      case 'fail':
        return this.#end(claim, { state: 'failed', error: next.error });
      case 'cancel':
        return this.#cancel(claim, data);
    }
  }

  async #plan(claim: Claim, run: Run): Promise<RunState | undefined> {
    const agent = await this.agents.find(run.orgId, run.agentId);
    if (!agent?.isActive) {
      const message = 'There is no such agent, or it is switched off.';
      return this.#end(claim, {
        state: 'failed',
        error: new PlatformError('not_found', { message }).toInfo(),
      });
    }
    const plan = await this.planner.plan(run.caller, agent, run.input.filter);
    await this.progress.begin(claim, { agent, plan, opening: openingMessage(run.input) });
    this.leftOut.note(run, plan);
    return undefined;
  }

  async #ask(
    claim: Claim,
    data: RunData,
    { signal, kind, position }: Extract<NextStep, { do: 'ask' }> & { signal: AbortSignal },
  ): Promise<undefined> {
    const confirm = () => this.progress.confirm(claim);
    const asked = { kind, position, fence: claim.fence, confirm };
    const { step, calls } = await this.model.ask(data, asked, signal);
    await this.progress.addStep(claim, step, calls);
  }

  /** All at once. Each end is stored by itself, so that a later runner waits only for what is open. */
  async #call(
    claim: Claim,
    run: Run,
    { calls, signal }: { calls: readonly RunCall[]; signal: AbortSignal },
  ): Promise<undefined> {
    const ends = await Promise.allSettled(
      calls.map(async (call) => {
        if (await this.#mustAsk(run, call)) return this.progress.moveCall(claim, call, 'approval_wanted');
        const outcome = await this.calls.run({ run, call, tool: plannedTool(run, call) }, signal);
        await this.progress.endCall(claim, call, callEnd(run, call, outcome));
      }),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** An admin may have said meanwhile that a person has to be asked. What was made by then was made under the plan. */
  async #mustAsk({ caller }: Run, { callId, isDecided, outwardName }: RunCall): Promise<boolean> {
    if (isDecided || outwardName === null) return false;
    const isNeeded = this.planner.policyNow(caller, outwardName)?.mode === 'require_approval';
    return isNeeded && !(await this.calls.isMade(callId));
  }

  /** A call of which nobody could say what is approved is none: the tool was taken away since the run was planned. */
  async #askApproval(claim: Claim, run: Run, calls: readonly RunCall[]): Promise<undefined> {
    for (const call of calls) {
      const tool = plannedTool(run, call);
      const policy = this.planner.policyNow(run.caller, tool.outwardName);
      if (!policy) {
        const error = new PlatformError('tool_not_found').toInfo();
        const outcome = { callId: call.callId, authPath: null, status: 'failed', error } as const;
        await this.progress.endCall(claim, call, callEnd(run, call, outcome));
        continue;
      }
      const asked = await this.calls.askApproval({ run, call, tool }, policy);
      await this.progress.moveCall(claim, call, asked === 'waiting' ? 'waiting_approval' : 'ready');
    }
  }

  async #park(claim: Claim, next: Extract<NextStep, { do: 'park' }>): Promise<RunState | undefined> {
    const isParked = await this.progress.park(claim, next.state, (data) => {
      const now = decideNext(data);
      return now.do === 'park' && now.state === next.state;
    });
    return isParked ? next.state : undefined;
  }

  async #cancel(claim: Claim, { run, calls }: RunData): Promise<RunState> {
    const open = calls.filter(({ state }) => state !== 'ended');
    const isDone = await Promise.all(open.map(({ callId }) => this.calls.cancel(run.orgId, callId)));
    // Nobody may approve a call of a run that is over.
    if (open.some(({ state }, at) => state === 'waiting_approval' && !isDone[at]))
      throw new PlatformError('dependency_unavailable');
    return this.#end(claim, { state: 'cancelled' });
  }

  async #end(claim: Claim, end: RunEnd): Promise<RunState> {
    await this.progress.end(claim, end);
    return end.state;
  }
}

function plannedTool({ plan }: Run, { outwardName }: RunCall) {
  const tool = plan?.tools.find((planned) => planned.outwardName === outwardName);
  if (!tool) throw new Error('a call of a tool that the run does not have');
  return tool;
}

/** A failure is a result too: the model decides what to make of it. Only a user who can connect is waited for. */
function callEnd({ caller }: Run, { outwardName, asked }: RunCall, outcome: ToolCallOutcome): CallEnd {
  const named = { outwardName: outwardName ?? asked.name };
  if (outcome.status === 'completed')
    return { state: 'ended', outcome, output: resultOutput(outcome.result, named) };
  const isConnectable = outcome.error.code === 'needs_reauth' && caller.runKind === 'chat';
  return {
    state: isConnectable ? 'waiting_reauth' : 'ended',
    outcome,
    output: failureOutput(outcome.error, named),
  };
}

/** Whether the driver stopped on purpose, and why. */
export function stopReason(thrown: unknown): StopRun['why'] | undefined {
  return thrown instanceof StopRun ? thrown.why : undefined;
}
