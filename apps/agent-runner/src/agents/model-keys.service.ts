import { Injectable } from '@nestjs/common';
import { type AgentDefinition, PlatformError } from '@switchyard/contracts';
import { Secret } from '@switchyard/service-kit';
import { SecretLeases } from '../secrets/secret-leases.service.js';
import { AgentsRepository } from './agents.repository.js';
import { modelAddress } from './model-address.js';

/** Changes of one agent that are so quick that each comes between two looks. */
const mostTries = 3;

/** The keys by which the models of agents are asked. */
@Injectable()
export class ModelKeys {
  constructor(
    private readonly leases: SecretLeases,
    private readonly agents: AgentsRepository,
  ) {}

  /**
   * The key that is for the model of this definition, which may be older than the agent's present one: a key goes to the
   * provider and address alone for which it was stored. Null where the model needs none. Throws `model_denied` where the model
   * is another by now, or a key was stored and is not there any more.
   */
  async keyOf(agent: AgentDefinition): Promise<Secret | null> {
    if (!agent.hasModelKey) return null;
    const { id: ownerId, orgId } = agent;
    for (let tries = 0; tries < mostTries; tries++) {
      const version = sameModel(agent, await this.agents.find(orgId, ownerId));
      const { api_key: key } = await this.leases.find({ orgId, ownerId, kind: 'model_key', version });
      // The vault may have held a key already of a definition that was not there yet.
      if (sameModel(agent, await this.agents.findSettled(orgId, ownerId)) !== version) continue;
      if (key === undefined)
        throw new PlatformError('model_denied', { message: 'The vault holds no key of the agent’s model.' });
      return new Secret(key);
    }
    throw new PlatformError('model_denied', { message: 'The agent is being changed: begin a new run.' });
  }
}

/** The version of the present definition. Throws `model_denied` where its model is not that of the run. */
function sameModel(agent: AgentDefinition, present: AgentDefinition | undefined): number {
  if (present && modelAddress(present) === modelAddress(agent)) return present.version;
  throw new PlatformError('model_denied', {
    message: present
      ? 'The agent’s model was changed since the run began, and its key is for the new one: begin a new run.'
      : 'The agent is not there any more.',
  });
}
