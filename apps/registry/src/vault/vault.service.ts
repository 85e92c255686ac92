import { Injectable } from '@nestjs/common';
import { PlatformError, PublicJwk, queues } from '@switchyard/contracts';
import type { PayloadOf } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import { CompactEncrypt, importJWK } from 'jose';
import { brokerIsLate } from './broker-is-late.js';

const answerWithinMs = 10_000;

type Owner = { id: string; organizationId: string };
export type SecretKind = 'headers' | 'env' | 'oauth_client';
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

  /** Forgets all values of the integration. Throws as `put` does. */
  async delete(owner: Owner): Promise<void> {
    await this.request(deletionOf(owner));
  }

  /** After a registration that failed, or one that ended: takes back what may be stored, without waiting for it. */
  async takeBack(owner: Owner): Promise<void> {
    await this.queue
      .enqueue(queues.vaultWrites, deletionOf(owner))
      .catch((err: unknown) =>
        this.log.error(
          { err, integrationId: owner.id },
          'values of an integration that is not there stay in the vault',
        ),
      );
  }

  private async request(write: PayloadOf<typeof queues.vaultWrites>): Promise<void> {
    const answer = await this.queue
      .request(queues.vaultWrites, write, { timeoutMs: answerWithinMs })
      .catch(brokerIsLate);
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

function deletionOf({ id, organizationId }: Owner) {
  return { v: 1, op: 'delete', orgId: organizationId, integrationId: id } as const;
}
