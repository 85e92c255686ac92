import type { Secret } from '@switchyard/service-kit';
import { AgentSource, ModelKeys } from './agent-source.js';
import { ToolPlanner, type ToolOffer } from './tool-planner.js';

/** What a runner is given from outside: agents, the keys of their models, their tools. */
export type RunnerPorts = {
  readonly agents: AgentSource;
  readonly keys: ModelKeys;
  readonly planner: ToolPlanner;
};

class NoAgents extends AgentSource {
  async find(): Promise<undefined> {
    return undefined;
  }
}

class NoKeys extends ModelKeys {
  async keyOf(): Promise<Secret | null> {
    return null;
  }
}

class NoTools extends ToolPlanner {
  async offer(): Promise<ToolOffer> {
    return { tools: [], leftOut: [] };
  }
}

/** No agents: as long as the registry publishes none, a run ends `not_found`. */
export const unpublished: RunnerPorts = {
  agents: new NoAgents(),
  keys: new NoKeys(),
  planner: new NoTools(),
};
