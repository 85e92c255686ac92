import { Injectable } from '@nestjs/common';
import { PlatformError, type VaultWrite, type VaultWriteAnswer } from '@switchyard/contracts';
import { Log } from '@switchyard/service-kit';
import { z } from 'zod';
import { BrokerKeysService } from '../broker-keys/broker-keys.service.js';
import { DisconnectsService } from '../credentials/disconnects.service.js';
import { SecretOwnersRepository } from '../vault/secret-owners.repository.js';
import { secretProblems } from '../vault/secret-rules.js';
import { SecretsService } from '../vault/secrets.service.js';

type Put = Extract<VaultWrite, { op: 'put' | 'rotate' }>;

/** The registry waits 10 s for an answer. */
const longestWaitMs = 30_000;
/** A rotation that its admin gave up and does again would push out the secret that still has to hold. */
const longestRotationWaitMs = 10_000;
const maximumJweLength = 524_288;
const Values = z.record(z.string(), z.string());

/** Stores what the registry hands over: unseal → check → check whose owner it is → replace the set. */
@Injectable()
export class VaultWritesService {
  constructor(
    private readonly brokerKeys: BrokerKeysService,
    private readonly owners: SecretOwnersRepository,
    private readonly secrets: SecretsService,
    private readonly disconnects: DisconnectsService,
    private readonly log: Log,
  ) {}

  /** `enqueuedAt` is sealed with the job: values that nobody waits for any more must not replace newer ones. */
  async apply(write: VaultWrite, enqueuedAt = Date.now()): Promise<VaultWriteAnswer> {
    switch (write.op) {
      case 'put':
      case 'rotate':
        return this.#isLate(write, enqueuedAt)
          ? this.#refuse(write, new PlatformError('deadline_exceeded'))
          : this.#put(write);
      case 'drop_previous':
        return this.#dropPrevious(write);
      case 'delete':
        return this.#delete(write);
    }
  }

  #isLate({ op }: Put, enqueuedAt: number): boolean {
    return Date.now() - enqueuedAt > (op === 'rotate' ? longestRotationWaitMs : longestWaitMs);
  }

  async #put(write: Put): Promise<VaultWriteAnswer> {
    const values = await this.#unseal(write.jwe);
    if (!values)
      return this.#refuse(
        write,
        new PlatformError('invalid_request', { message: 'The values are not sealed to the broker.' }),
      );
    const problems = secretProblems(write.kind, values);
    if (problems.length > 0) return this.#refuse(write, invalidValues(write.kind, problems));
    if (await this.#isForeign(write)) return this.#refuse(write, new PlatformError('not_found'));
    const stored = write.op === 'rotate' ? { ...(await this.#former(write)), ...values } : values;
    await this.secrets.replace(write, stored);
    return { status: 'stored', names: Object.keys(stored) };
  }

  /** The registry does one change of a webhook at a time. */
  async #former(write: Put): Promise<Record<string, string>> {
    const { current: previous } = await this.secrets.readSet(write);
    return previous === undefined ? {} : { previous };
  }

  async #dropPrevious(write: Extract<VaultWrite, { op: 'drop_previous' }>): Promise<VaultWriteAnswer> {
    if (await this.#isForeign(write)) return notFound();
    const { previous: _dropped, ...kept } = await this.secrets.readSet(write);
    await this.secrets.replace(write, kept);
    return { status: 'stored', names: Object.keys(kept) };
  }

  async #delete(write: Extract<VaultWrite, { op: 'delete' }>): Promise<VaultWriteAnswer> {
    if (await this.#isForeign(write)) return notFound();
    await this.secrets.deleteAll(write.orgId, write.integrationId);
    // Its users' consents go with it, at the vendor too; who deletes does not wait for vendors.
    await this.disconnects.ofIntegration(write.integrationId);
    return { status: 'stored', names: [] };
  }

  async #unseal(jwe: string): Promise<Record<string, string> | null> {
    if (jwe.length > maximumJweLength) return null;
    try {
      return Values.parse(JSON.parse(await this.brokerKeys.unseal(jwe)));
    } catch {
      // The error of a parser may quote what it could not parse.
      return null;
    }
  }

  /** The registry stores the values of something new before it shows it: an unknown owner is no foreign one. */
  async #isForeign({ orgId, integrationId }: VaultWrite): Promise<boolean> {
    const owner = await this.owners.orgOf(integrationId);
    return owner !== null && owner !== orgId;
  }

  #refuse({ orgId, integrationId, kind }: Put, error: PlatformError): VaultWriteAnswer {
    this.log.warn({ orgId, integrationId, kind, code: error.code }, 'vault write refused');
    return { status: 'refused', error: error.toInfo() };
  }
}

function notFound(): VaultWriteAnswer {
  return { status: 'refused', error: new PlatformError('not_found').toInfo() };
}

function invalidValues(kind: Put['kind'], problems: readonly string[]): PlatformError {
  const shown = problems.slice(0, 5);
  const errors = shown.map((message) => ({ path: kind, message }));
  return new PlatformError('invalid_request', { message: `${shown.join('; ')}.`, details: { errors } });
}
