import { Inject, Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { FleetLimits } from '@switchyard/queue';
import { GATEWAY_CONFIG, type GatewayConfig } from '../../config.js';
import { ClientsRepository } from '../clients/clients.repository.js';
import { networkOf } from '../store/provider-adapter.js';

/** Each is counted for itself: who wears one out shuts no other. */
export type Door = 'registration' | 'authorization' | 'token' | 'pages';

/** Of one network. A company may sit behind one address. */
const requests = { limit: 600, intervalMs: 60_000 };
/** Metadata documents that one network makes us fetch; known ones are not fetched again. */
const fetches = { limit: 20, intervalMs: 60_000 };

/** How often strangers may ask. */
@Injectable()
export class Admission {
  constructor(
    private readonly clients: ClientsRepository,
    private readonly limits: FleetLimits,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'oauth'>,
  ) {}

  /** Throws `rate_limited`: who registers or asks too much waits, and others do not. */
  async admit({ ip }: { readonly ip: string }, door: Door): Promise<void> {
    const network = networkOf(ip) ?? 'unknown';
    const taken = await this.limits.take(`oauth-${door}:${network}`, requests);
    if (taken.isOver) throw new PlatformError('rate_limited', { retryAfterMs: taken.retryAfterMs });
    const { registrationsPerHour } = this.config.oauth;
    if (door === 'registration' && (await this.clients.countOf(network)) >= registrationsPerHour)
      throw new PlatformError('rate_limited', {
        message: 'Too many applications were registered.',
        retryAfterMs: 600_000,
      });
  }

  /** Whether a document may be fetched now for whoever asks from that address. */
  async mayFetch(address: string): Promise<boolean> {
    return !(await this.limits.take(`oauth-fetch:${networkOf(address) ?? 'unknown'}`, fetches)).isOver;
  }
}
