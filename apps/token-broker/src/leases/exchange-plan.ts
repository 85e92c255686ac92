import type { AuthorizationServer, DiscoveredVendor } from '@switchyard/mcp-client';
import type { LeasedIntegration } from '../integrations/integrations.repository.js';
import type { KnownClient } from '../vendors/oauth-clients.service.js';

/** What a token is exchanged for. */
export type ExchangePlan = {
  readonly server: AuthorizationServer;
  readonly client: KnownClient;
  readonly audience: string | null;
  readonly resource: string | null;
  readonly scopes: readonly string[] | null;
};

/** What the admin set wins; a server that is told an audience needs no resource beside it unless one was set. */
export function exchangePlan(
  { oauth }: LeasedIntegration,
  vendor: DiscoveredVendor,
  client: KnownClient,
): ExchangePlan {
  const audience = oauth?.audience ?? null;
  return {
    server: vendor.server,
    client,
    audience,
    resource: oauth?.resource ?? (audience === null ? vendor.resource : null),
    scopes: oauth?.scopes ?? null,
  };
}
