import { Injectable } from '@nestjs/common';
import { LeaseContent, type LeaseRequest, PublicJwk, queues, toPlatformError } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import { describeFailure } from '../states/describe-failure.js';
import { AttemptError } from '../states/failure.js';

const timeoutMs = 15_000;
const algorithms = { keyManagementAlgorithms: ['ECDH-ES'], contentEncryptionAlgorithms: ['A256GCM'] };

/** The credential of discovery, for a while. */
export type DiscoveryLease = {
  readonly headers: Record<string, string>;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** The broker's name for it; null where there is none to refuse. */
  readonly credential: string | null;
};

/** Leases the integration's own credential for looking at its tools. Nothing is kept here: a link keeps its own. */
@Injectable()
export class DiscoveryLeaseService {
  constructor(private readonly queue: QueueClient) {}

  /** `refused` is what the upstream has just answered with 401. Throws an `AttemptError` of stage `lease`. */
  async lease(
    integration: SyncedIntegration,
    refused: LeaseRequest['refused'] = null,
  ): Promise<DiscoveryLease> {
    if (integration.authMode === 'none')
      return { headers: {}, expiresAt: Number.POSITIVE_INFINITY, credential: null };
    try {
      return await this.#ask(integration, refused);
    } catch (thrown) {
      if (thrown instanceof AttemptError) throw thrown;
      throw new AttemptError(
        describeFailure(toPlatformError(thrown).toInfo(), { stage: 'lease', secrets: [] }),
        { cause: thrown },
      );
    }
  }

  async #ask({ id, orgId }: SyncedIntegration, refused: LeaseRequest['refused']): Promise<DiscoveryLease> {
    const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
    const { kty, crv, x, y } = await exportJWK(pair.publicKey);
    const recipient = PublicJwk.parse({ kty, crv, x, y });
    const request: LeaseRequest = {
      ...{ v: 1, orgId, integrationId: id, call: null, caller: null, recipient },
      ...{ refused, insufficientScopes: null, subjectToken: null },
    };
    const answer = await this.queue.request(queues.tokenLeases, request, { timeoutMs });
    if (answer.status === 'refused')
      throw new AttemptError(describeFailure(answer.error, { stage: 'lease', secrets: [] }));
    const { plaintext } = await compactDecrypt(answer.jwe, pair.privateKey, algorithms);
    const { headers } = LeaseContent.parse(JSON.parse(new TextDecoder().decode(plaintext)));
    return { headers, expiresAt: answer.expiresAt, credential: answer.credential };
  }
}
