import { Injectable } from '@nestjs/common';
import { PlatformError, PublicJwk, queues } from '@switchyard/contracts';
import type { PayloadOf } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { CompactEncrypt, importJWK } from 'jose';
import { isLate } from '../http/service-is-late.js';

const answerWithinMs = 10_000;

type Owner = { id: string; organizationId: string };
/** Of an integration; of an agent, `model_key`; of a webhook, `webhook`. */
export type SecretKind = 'headers' | 'env' | 'oauth_client' | 'model_key' | 'webhook';
export type SecretValues = Readonly<Record<string, string>>;

/** Hands secret values to the token broker, which alone can read them. Nothing of them is kept here. */
@Injectable()
export class VaultService {
  constructor(
    private readonly sql: Sql,
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  /**
   * Replaces all values of the kind. Throws what the broker refuses, or that it does not answer. Inside a transaction,
   * give its `sql`: waiting for another connection while holding one is how pools lock up.
   */
  async put(owner: Owner, kind: SecretKind, values: SecretValues, sql: Sql = this.sql): Promise<void> {
    const jwe = await sealToBroker(sql, values);
    await this.request({ v: 1, op: 'put', orgId: owner.organizationId, integrationId: owner.id, kind, jwe });
  }

  /** A webhook's `current` secret becomes its `previous` one, which only the broker can read. Throws as `put` does. */
  async rotate(webhook: Owner, current: string, sql: Sql): Promise<void> {
    const jwe = await sealToBroker(sql, { current });
    await this.request({ ...ofWebhook(webhook), op: 'rotate', jwe });
  }

  /** Throws as `put` does. */
  async dropPrevious(webhook: Owner): Promise<void> {
    await this.request({ ...ofWebhook(webhook), op: 'drop_previous' });
  }

  /** Forgets all values of the owner. Throws as `put` does. */
  async delete(owner: Owner): Promise<void> {
    await this.request(deletionOf(owner));
  }

  /** After a registration that failed, or one that ended: takes back what may be stored, without waiting for it. */
  async takeBack(owner: Owner): Promise<void> {
    await this.queue
      .enqueue(queues.vaultWrites, deletionOf(owner))
      .catch((err: unknown) =>
        this.log.error(
          { err, ownerId: owner.id },
          'values whose owner is not there stay in the vault for now',
        ),
      );
  }

  private async request(write: PayloadOf<typeof queues.vaultWrites>): Promise<void> {
    const answer = await this.queue
      .request(queues.vaultWrites, write, { timeoutMs: answerWithinMs })
      .catch(isLate('token broker'));
    if (answer.status === 'refused') throw PlatformError.fromInfo(answer.error);
  }
}

async function sealToBroker(sql: Sql, values: SecretValues): Promise<string> {
  const [row] = await sql.query<{ kid: string; jwk: unknown }>(
    `SELECT kid, jwk FROM broker.v_public_keys WHERE active`,
  );
  if (!row)
    throw new PlatformError('dependency_unavailable', { message: 'The token broker has no key yet.' });
  const key = await importJWK(PublicJwk.parse(row.jwk), 'ECDH-ES');
  return new CompactEncrypt(Buffer.from(JSON.stringify(values)))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: row.kid })
    .encrypt(key);
}

function ofWebhook({ id, organizationId }: Owner) {
  return { v: 1, orgId: organizationId, integrationId: id, kind: 'webhook' } as const;
}

function deletionOf({ id, organizationId }: Owner) {
  return { v: 1, op: 'delete', orgId: organizationId, integrationId: id } as const;
}
