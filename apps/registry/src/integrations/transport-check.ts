import { Inject, Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import type { Transport } from '@switchyard/contracts';
import { matchStdio } from '@switchyard/mcp-client';
import { REGISTRY_CONFIG } from '../config.js';
import type { RegistryConfig } from '../config.js';
import { EgressService } from '../egress/egress.service.js';

type Checked = { transport: Transport; envNames: readonly string[] };

/** Whether an upstream may be registered at all. The same is asked again at each connection and start. */
@Injectable()
export class TransportCheck {
  private readonly allowlist;

  constructor(
    private readonly egress: EgressService,
    @Inject(REGISTRY_CONFIG) config: Pick<RegistryConfig, 'stdioAllowlist'>,
  ) {
    this.allowlist = config.stdioAllowlist;
  }

  /** Throws `egress_denied` for an address and `stdio_not_allowed` for a command, argument or variable. */
  async check({ transport, envNames }: Checked, orgSlug: string): Promise<void> {
    if (transport.type !== 'stdio') return this.egress.check(transport.url);
    const { env } = matchStdio(this.allowlist, transport, orgSlug);
    const foreign = envNames.filter((name) => !env.includes(name));
    if (foreign.length === 0) return;
    throw new PlatformError('stdio_not_allowed', {
      message: `Its entry does not allow these environment variables: ${foreign.slice(0, 10).join(', ')}.`,
    });
  }
}
