import { Injectable } from '@nestjs/common';
import { PlatformError, type VaultWrite, type VaultWriteAnswer } from '@switchyard/contracts';
import { Log } from '@switchyard/service-kit';
import { z } from 'zod';
import { BrokerKeysService } from '../broker-keys/broker-keys.service.js';
import { IntegrationsRepository } from '../integrations/integrations.repository.js';
import { DisconnectsService } from '../credentials/disconnects.service.js';
import { secretProblems } from '../vault/secret-rules.js';
import { SecretsService } from '../vault/secrets.service.js';

type Put = Extract<VaultWrite, { op: 'put' }>;

/** The registry waits 10 s for an answer. */
const longestWaitMs = 30_000;
const maximumJweLength = 524_288;
const Values = z.record(z.string(), z.string());

/** Stores what the registry hands over: unseal → check → check whose integration it is → replace the set. */
@Injectable()
export class VaultWritesService {
  constructor(
    private readonly brokerKeys: BrokerKeysService,
    private readonly integrations: IntegrationsRepository,
    private readonly secrets: SecretsService,
    private readonly disconnects: DisconnectsService,
    private readonly log: Log,
  ) {}

  /** `enqueuedAt` is sealed with the job: values that nobody waits for any more must not replace newer ones. */
  async apply(write: VaultWrite, enqueuedAt = Date.now()): Promise<VaultWriteAnswer> {
    if (write.op === 'put' && Date.now() - enqueuedAt > longestWaitMs)
      return this.#refuse(write, new PlatformError('deadline_exceeded'));
    if (write.op === 'put') return this.#put(write);
    if (await this.#isForeign(write))
      return { status: 'refused', error: new PlatformError('not_found').toInfo() };
    await this.secrets.deleteAll(write.orgId, write.integrationId);
    // Its users' consents go with it, at the vendor too; who deletes does not wait for vendors.
    await this.disconnects.ofIntegration(write.integrationId);
    return { status: 'stored', names: [] };
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
    await this.secrets.replace(write, values);
    return { status: 'stored', names: Object.keys(values) };
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

  /** The registry stores the values of a new integration before it shows the integration: an unknown one is no foreign one. */
  async #isForeign({ orgId, integrationId }: VaultWrite): Promise<boolean> {
    const integration = await this.integrations.find(integrationId);
    return integration !== null && integration.orgId !== orgId;
  }

  #refuse({ orgId, integrationId, kind }: Put, error: PlatformError): VaultWriteAnswer {
    this.log.warn({ orgId, integrationId, kind, code: error.code }, 'vault write refused');
    return { status: 'refused', error: error.toInfo() };
  }
}

function invalidValues(kind: Put['kind'], problems: readonly string[]): PlatformError {
  const shown = problems.slice(0, 5);
  const errors = shown.map((message) => ({ path: kind, message }));
  return new PlatformError('invalid_request', { message: `${shown.join('; ')}.`, details: { errors } });
}
