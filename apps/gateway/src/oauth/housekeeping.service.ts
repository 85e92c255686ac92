import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Log, Shutdown } from '@switchyard/service-kit';
import { ClientsRepository } from './clients/clients.repository.js';
import { GrantsRepository } from './grants/grants.repository.js';
import { SigningKeys } from './keys/signing-keys.service.js';
import { PayloadsRepository } from './store/payloads.repository.js';

const everyMs = 600_000;

/** Deletes what is over. Every replica does; what one has deleted, the others do not find. */
@Injectable()
export class OAuthHousekeeping implements OnModuleInit {
  constructor(
    private readonly payloads: PayloadsRepository,
    private readonly clients: ClientsRepository,
    private readonly grants: GrantsRepository,
    private readonly keys: SigningKeys,
    private readonly log: Log,
    private readonly shutdown: Shutdown,
  ) {}

  onModuleInit(): void {
    const timer = setInterval(() => void this.clean(), everyMs);
    this.shutdown.onStopTaking(() => clearInterval(timer));
  }

  async clean(): Promise<void> {
    try {
      await this.payloads.deleteOld();
      await this.grants.deleteOld();
      await this.clients.deleteUnused();
      await this.keys.deleteOld();
    } catch (err) {
      this.log.warn({ err }, 'what is over in the authorization server’s tables could not be deleted');
    }
  }
}
