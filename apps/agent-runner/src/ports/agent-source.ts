import type { AgentDefinition } from '@switchyard/contracts';
import type { Secret } from '@switchyard/service-kit';

/** Where definitions of agents come from: the registry publishes them. */
export abstract class AgentSource {
  /** Undefined too for an agent of another organization. */
  abstract find(orgId: string, agentId: string): Promise<AgentDefinition | undefined>;
}

/** Where the key of an agent's model comes from: the vault. Null where the model needs none. */
export abstract class ModelKeys {
  abstract keyOf(agent: AgentDefinition): Promise<Secret | null>;
}
