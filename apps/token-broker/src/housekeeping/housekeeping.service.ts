import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Log, Shutdown } from '@switchyard/service-kit';
import { SessionsRepository } from '../callers/sessions.repository.js';
import { ConsentsRepository } from '../consents/consents.repository.js';
import { CredentialsRepository } from '../credentials/credentials.repository.js';
import { ReconciliationService } from '../credentials/reconciliation.service.js';
import { SecretsRepository } from '../vault/secrets.repository.js';
import { Loop } from './loop.js';

const intervalMs = 30_000;

/** What has to happen now and then, in whichever broker gets to it first. */
@Injectable()
export class HousekeepingService implements OnApplicationBootstrap {
  readonly #loop: Loop;

  constructor(
    private readonly sessions: SessionsRepository,
    private readonly consents: ConsentsRepository,
    private readonly credentials: CredentialsRepository,
    private readonly reconciliation: ReconciliationService,
    private readonly secrets: SecretsRepository,
    private readonly log: Log,
    shutdown: Shutdown,
  ) {
    const report = (err: unknown): void => log.warn({ err }, 'housekeeping failed');
    this.#loop = new Loop(intervalMs, () => this.#tidy(), report);
    shutdown.onStopTaking(() => this.#loop.stop());
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  async #tidy(): Promise<void> {
    await this.reconciliation.reconcile();
    await this.sessions.deleteExpired();
    await this.consents.deleteOld();
    await this.credentials.deletePending();
    const orphaned = await this.secrets.deleteOrphaned();
    if (orphaned > 0) this.log.info({ orphaned }, 'secrets whose owners are gone were forgotten');
  }
}
