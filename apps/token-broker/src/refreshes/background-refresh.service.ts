import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Sql } from '@switchyard/database';
import { Log, Shutdown } from '@switchyard/service-kit';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { credentialColumns, type StoredCredential, toRow } from '../credentials/credentials.repository.js';
import { Loop } from '../housekeeping/loop.js';
import { IntegrationsRepository } from '../integrations/integrations.repository.js';
import { RefreshesService } from './refreshes.service.js';

const { table, all } = credentialColumns;
const atOnce = 20;

/** Refreshes what is in use ahead of its expiry, so that no call waits for a vendor. */
@Injectable()
export class BackgroundRefreshService implements OnApplicationBootstrap {
  readonly #loop: Loop;

  constructor(
    private readonly sql: Sql,
    private readonly integrations: IntegrationsRepository,
    private readonly refreshes: RefreshesService,
    @Inject(TOKEN_BROKER_CONFIG)
    private readonly config: Pick<TokenBrokerConfig, 'refreshAheadMs' | 'refreshIntervalMs'>,
    log: Log,
    shutdown: Shutdown,
  ) {
    const report = (err: unknown): void => log.warn({ err }, 'background refresh failed');
    this.#loop = new Loop(config.refreshIntervalMs, () => this.refreshDue(), report);
    shutdown.onStopTaking(() => this.#loop.stop());
  }

  onApplicationBootstrap(): void {
    this.#loop.start();
  }

  /** One turn: the most urgent first. What another broker refreshes right now is left to it. */
  async refreshDue(): Promise<void> {
    const rows = await this.sql.query<StoredCredential>(
      `SELECT ${all} FROM ${table} c
       WHERE c.refresh_token_ciphertext IS NOT NULL AND c.state IN ('active', 'needs_update')
         AND c.expires_at - now() < least($1 * interval '1 millisecond', (c.expires_at - c.last_refreshed_at) / 3)
         AND c.last_used_at > now() - interval '24 hours' AND coalesce(c.cool_down_until, now()) <= now()
       ORDER BY c.expires_at LIMIT $2`,
      [this.config.refreshAheadMs, atOnce],
    );
    await Promise.all(rows.map((row) => this.#refresh(row)));
  }

  async #refresh(row: StoredCredential): Promise<void> {
    const { credential } = toRow(row);
    const integration = await this.integrations.find(credential.integrationId);
    if (!integration?.enabled || integration.authMode !== 'authorization_code') return;
    await this.refreshes.refresh(integration, credential, { skipIfLocked: true });
  }
}
