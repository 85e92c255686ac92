import { Injectable } from '@nestjs/common';
import {
  PlatformError,
  type SecretLeaseAnswer,
  type SecretLeaseRequest,
  toPlatformError,
} from '@switchyard/contracts';
import { Log } from '@switchyard/service-kit';
import { AuditLogService, type AuditFacts } from '../audit/audit-log.service.js';
import { sealLease } from '../leases/seal-lease.js';
import { SecretOwnersRepository } from '../vault/secret-owners.repository.js';
import { SecretsService } from '../vault/secrets.service.js';
import { AuditThrottle } from './audit-throttle.js';

/** A runner asks once a minute for each agent that somebody chats with. */
const saidEveryMs = 600_000;

/** Answers who asks for the key of a model or the secrets of a webhook: whose is it → read → seal → write it down. */
@Injectable()
export class SecretLeasesService {
  readonly #throttle = new AuditThrottle(saidEveryMs);

  constructor(
    private readonly owners: SecretOwnersRepository,
    private readonly secrets: SecretsService,
    private readonly audit: AuditLogService,
    private readonly log: Log,
  ) {}

  async answer(request: SecretLeaseRequest): Promise<SecretLeaseAnswer> {
    try {
      const jwe = await sealLease(await this.#read(request), request.recipient);
      await this.#record(request);
      return { status: 'granted', jwe };
    } catch (thrown) {
      if (!(thrown instanceof PlatformError)) throw thrown;
      return this.#refuse(request, toPlatformError(thrown));
    }
  }

  async #read({ orgId, ownerId, kind }: SecretLeaseRequest): Promise<Record<string, string>> {
    const isTheirs = await this.owners.has(kind, orgId, ownerId);
    const values = isTheirs ? await this.secrets.readSet({ orgId, integrationId: ownerId, kind }) : {};
    if (Object.keys(values).length === 0) throw new PlatformError('not_found');
    return values;
  }

  /** Nobody gets a secret of which it is not written down that it is being handed out. */
  async #record(request: SecretLeaseRequest): Promise<void> {
    const what = `granted ${request.kind} ${request.orgId} ${request.ownerId}`;
    const times = this.#throttle.count(what, Date.now());
    if (times === undefined) return;
    try {
      await this.audit.record(factsOf(request, times, { action: 'lease_granted', result: 'ok' }));
    } catch (error) {
      this.#throttle.unsay(what);
      throw error;
    }
  }

  async #refuse(request: SecretLeaseRequest, error: PlatformError): Promise<SecretLeaseAnswer> {
    const { orgId, ownerId, kind } = request;
    this.log.warn({ orgId, ownerId, kind, code: error.code }, 'secret lease refused');
    const times = this.#throttle.count(`${error.code} ${kind} ${orgId} ${ownerId}`, Date.now());
    const said = { action: 'lease_refused', result: 'refused', code: error.code } as const;
    if (times !== undefined) await this.audit.note(factsOf(request, times, said));
    return { status: 'refused', error: error.toInfo() };
  }
}

function factsOf(
  { orgId, ownerId, kind }: SecretLeaseRequest,
  times: number,
  said: Pick<AuditFacts, 'action' | 'result' | 'code'>,
): AuditFacts {
  const actor = { kind: 'service', id: 'agent-runner' } as const;
  return { orgId, actor, ...said, details: { secret: kind, owner: ownerId, times } };
}
