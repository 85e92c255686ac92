import { Injectable } from '@nestjs/common';
import { type AgentDefinition, PlatformError } from '@switchyard/contracts';
import { Secret } from '@switchyard/service-kit';
import { SecretLeases } from '../secrets/secret-leases.service.js';

/** The keys by which the models of agents are asked. */
@Injectable()
export class ModelKeys {
  constructor(private readonly leases: SecretLeases) {}

  /** Null where the model needs none. Throws `model_denied` where one was stored and is not there any more. */
  async keyOf({ id: ownerId, orgId, hasModelKey }: AgentDefinition): Promise<Secret | null> {
    if (!hasModelKey) return null;
    const { api_key: key } = await this.leases.find({ orgId, ownerId, kind: 'model_key' });
    if (key === undefined)
      throw new PlatformError('model_denied', { message: 'The vault holds no key of the agent’s model.' });
    return new Secret(key);
  }
}
