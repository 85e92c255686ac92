import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import {
  type AuthorizationServer,
  discoverAuthorizationServer,
  type DiscoveredVendor,
  discoverVendor,
  EgressPolicy,
} from '@switchyard/mcp-client';
import { type LeasedIntegration, serverUrlOf } from '../integrations/integrations.repository.js';

const keptMs = 600_000;
const mostKept = 2_000;
const limits = { maxBodyBytes: 1_048_576, headersTimeoutMs: 10_000, bodyIdleTimeoutMs: 10_000 };

type Kept = { readonly server: AuthorizationServer; readonly until: number };

/** What vendors' metadata say. Everything goes through the egress policy. */
@Injectable()
export class VendorsService {
  readonly #servers = new Map<string, Kept>();

  /** For requests to vendors: addresses checked, bodies of at most 1 MiB. */
  readonly fetch: typeof fetch;

  constructor(egress: EgressPolicy) {
    this.fetch = ((url: string | URL, init?: never) =>
      egress.fetchLimited(url, init, limits)) as unknown as typeof fetch;
  }

  /** For a consent: asks the MCP server anew. Throws as `discoverVendor` does. */
  async discover(
    integration: LeasedIntegration,
    boundIssuer: string | null,
  ): Promise<DiscoveredVendor | { open: true }> {
    const url = serverUrlOf(integration);
    if (url === null)
      throw new PlatformError('auth_mode_unavailable', { message: 'A stdio server has no OAuth.' });
    return discoverVendor({ url, fetch: this.fetch, settings: integration.oauth ?? {}, boundIssuer });
  }

  /**
   * The authorization server that a credential is bound to, whatever the MCP server says by now. Kept for ten minutes, and
   * for as long as the vendor does not answer.
   */
  async serverOf(issuer: string, { oauth }: LeasedIntegration): Promise<AuthorizationServer> {
    const settings = oauth ?? {};
    const name = JSON.stringify([issuer, settings]);
    const kept = this.#servers.get(name);
    if (kept && kept.until > Date.now()) return kept.server;
    try {
      const server = await discoverAuthorizationServer({ issuer, fetch: this.fetch, settings });
      if (server?.issuer !== issuer) throw changedServer();
      this.#keep(name, server);
      return server;
    } catch (error) {
      if (kept && error instanceof PlatformError && error.code === 'authorization_server_unavailable')
        return kept.server;
      throw error;
    }
  }

  #keep(name: string, server: AuthorizationServer): void {
    this.#servers.delete(name);
    const [oldest] = this.#servers.size >= mostKept ? this.#servers.keys() : [];
    if (oldest !== undefined) this.#servers.delete(oldest);
    this.#servers.set(name, { server, until: Date.now() + keptMs });
  }
}

function changedServer(): PlatformError {
  return new PlatformError('upstream_protocol_error', {
    message: 'The authorization server of the credential is not there any more.',
    details: { reason: 'issuer_changed' },
  });
}
