import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { createEgressPolicy } from '@switchyard/mcp-client';
import { REGISTRY_CONFIG } from '../config.js';
import type { RegistryConfig } from '../config.js';

/** What identity providers answer with is small and comes at once. */
const limits = { maxBodyBytes: 1_048_576, headersTimeoutMs: 5_000, bodyIdleTimeoutMs: 5_000 };

/** The one way out, and the judge of addresses that admins enter. */
@Injectable()
export class EgressService implements OnApplicationShutdown {
  private readonly policy;

  constructor(@Inject(REGISTRY_CONFIG) config: Pick<RegistryConfig, 'egress'>) {
    this.policy = createEgressPolicy(config.egress);
  }

  /** Throws `egress_denied` that names the field, where the address came in one among others. */
  async check(url: string, field?: string): Promise<void> {
    try {
      await this.policy.check(url);
    } catch (error) {
      if (!field || !(error instanceof PlatformError)) throw error;
      const { details } = error;
      throw new PlatformError(error.code, { message: `${field}: ${String(details?.reason)}.`, details });
    }
  }

  readonly fetch = ((url: string | URL, init?: RequestInit) =>
    this.policy.fetchLimited(url, init as never, limits)) as typeof fetch;

  async onApplicationShutdown(): Promise<void> {
    await this.policy.close();
  }
}
