import { Inject, Injectable } from '@nestjs/common';
import type { AuthMode } from '@switchyard/contracts';
import { TOKEN_BROKER_CONFIG, type TokenBrokerConfig } from '../config.js';
import { SecretsService } from '../vault/secrets.service.js';
import type { CheckedAsk, LeaseGrant, LeaseGranter } from './lease-ask.js';

/** No identity at all. A stdio child may need settings all the same (`MEMORY_FILE_PATH`), which are its environment. */
@Injectable()
export class GrantNone implements LeaseGranter {
  readonly authModes: readonly AuthMode[] = ['none'];

  constructor(
    private readonly secrets: SecretsService,
    @Inject(TOKEN_BROKER_CONFIG) private readonly config: Pick<TokenBrokerConfig, 'leaseTtlMs'>,
  ) {}

  async grant({ integration, now }: CheckedAsk): Promise<LeaseGrant> {
    const { env } =
      integration.envNames.length > 0
        ? await this.secrets.read(integration.orgId, integration.id)
        : { env: {} };
    const nobodys = { principal: 'none', credential: 'none' };
    return {
      authPath: 'none',
      content: { headers: {}, env },
      expiresAt: now + this.config.leaseTtlMs,
      ...nobodys,
    };
  }
}
