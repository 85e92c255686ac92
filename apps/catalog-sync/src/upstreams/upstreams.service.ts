import { Injectable } from '@nestjs/common';
import { EgressPolicy } from '@switchyard/mcp-client';
import { QueueClient } from '@switchyard/queue';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import { DiscoveryCredential } from './discovery-credential.js';
import { DiscoveryLeaseService } from './discovery-lease.service.js';
import { SessionLink } from './session-link.js';
import { StdioLink } from './stdio-link.js';
import type { UpstreamLink } from './upstream-link.js';

export type OpenOptions = {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly restart?: boolean;
};

/** Opens the way to an upstream, with the credential of discovery. */
@Injectable()
export class UpstreamsService {
  constructor(
    private readonly queue: QueueClient,
    private readonly leases: DiscoveryLeaseService,
    private readonly egress: EgressPolicy,
  ) {}

  /** `restart` gives a stdio integration a new child first. Throws an `AttemptError`. */
  async open(integration: SyncedIntegration, options: OpenOptions): Promise<UpstreamLink> {
    if (integration.transport.type === 'stdio') {
      const link = new StdioLink(this.queue, integration.id);
      if (options.restart) await link.restart(options.signal);
      return link;
    }
    return SessionLink.open(integration, {
      credential: new DiscoveryCredential(this.leases, integration),
      egress: this.egress,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
    });
  }
}
