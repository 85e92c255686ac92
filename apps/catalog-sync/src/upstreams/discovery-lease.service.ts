import { Injectable } from '@nestjs/common';
import { LeaseContent, PublicJwk, queues, toPlatformError } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import { describeFailure } from '../states/describe-failure.js';
import { AttemptError } from '../states/failure.js';

const timeoutMs = 5_000;
const algorithms = { keyManagementAlgorithms: ['ECDH-ES'], contentEncryptionAlgorithms: ['A256GCM'] };

/** The integration's own credential for looking at its tools. Nothing is kept: every connection asks anew. */
@Injectable()
export class DiscoveryLeaseService {
  constructor(private readonly queue: QueueClient) {}

  /** The headers to connect with. Throws an `AttemptError` of stage `lease`. */
  async headers(integration: SyncedIntegration): Promise<Record<string, string>> {
    if (integration.authMode === 'none') return {};
    try {
      return await this.#lease(integration);
    } catch (thrown) {
      if (thrown instanceof AttemptError) throw thrown;
      throw new AttemptError(
        describeFailure(toPlatformError(thrown).toInfo(), { stage: 'lease', secrets: [] }),
        { cause: thrown },
      );
    }
  }

  async #lease({ id, orgId }: SyncedIntegration): Promise<Record<string, string>> {
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
    const { kty, crv, x, y } = await exportJWK(pair.publicKey);
    const recipient = PublicJwk.parse({ kty, crv, x, y });
    const request = {
      v: 1,
      orgId,
      integrationId: id,
      call: null,
      caller: null,
      recipient,
      refused: null,
      insufficientScopes: null,
      subjectToken: null,
    } as const;
    const answer = await this.queue.request(queues.tokenLeases, request, { timeoutMs });
    if (answer.status === 'refused')
      throw new AttemptError(describeFailure(answer.error, { stage: 'lease', secrets: [] }));
    const { plaintext } = await compactDecrypt(answer.jwe, pair.privateKey, algorithms);
    return LeaseContent.parse(JSON.parse(new TextDecoder().decode(plaintext))).headers;
  }
}
