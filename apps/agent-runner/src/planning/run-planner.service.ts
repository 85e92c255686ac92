import { Injectable } from '@nestjs/common';
import {
  agentTools,
  type ExecutionPolicy,
  executionPolicy,
  findTool,
  resolveTools,
  type Snapshot,
  SnapshotStore,
} from '@switchyard/access';
import type { AgentDefinition, CallerContext, RunInput } from '@switchyard/contracts';
import type { RunPlan } from '../runs/run-data.js';
import { makePlan } from './make-plan.js';

/** Which tools a run may have, and whether a call of one runs by itself: by the rules that every face obeys. */
@Injectable()
export class RunPlanner {
  constructor(private readonly snapshots: SnapshotStore) {}

  async plan(caller: CallerContext, agent: AgentDefinition, filter?: RunInput['filter']): Promise<RunPlan> {
    const snapshot = await this.#snapshotWith(agent);
    const { tools, leftOut } = agentTools(snapshot, caller);
    const wanted = new Set(resolveTools(snapshot, caller, filter).map(({ outwardName }) => outwardName));
    const unwanted = tools.filter(({ outwardName }) => !wanted.has(outwardName));
    return makePlan(caller, agent, {
      tools: tools
        .filter(({ outwardName }) => wanted.has(outwardName))
        .map((resolved) => ({ resolved, policy: executionPolicy(snapshot, caller, resolved) })),
      leftOut: [
        ...leftOut.map(({ name, reason }) => ({ name, reason })),
        ...unwanted.map(({ outwardName: name }) => ({ name, reason: 'request_filter' })),
      ],
    });
  }

  /** As the rules are now; undefined where the caller may not use the tool any more. */
  policyNow(caller: CallerContext, outwardName: string): ExecutionPolicy | undefined {
    const snapshot = this.snapshots.current();
    const resolved = findTool(snapshot, caller, outwardName);
    return resolved && executionPolicy(snapshot, caller, resolved);
  }

  /** The definition may be newer than the snapshot: an agent of a moment ago has its tools too. */
  async #snapshotWith({ id, version }: AgentDefinition): Promise<Snapshot> {
    const snapshot = this.snapshots.current();
    if (snapshot.agents.get(id)?.version === version) return snapshot;
    await this.snapshots.refresh();
    return this.snapshots.current();
  }
}
