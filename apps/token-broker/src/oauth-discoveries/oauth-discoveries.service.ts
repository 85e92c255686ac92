import { Injectable } from '@nestjs/common';
import {
  type OAuthDiscovery,
  type OAuthDiscoveryAnswer,
  OAuthSettings,
  toPlatformError,
} from '@switchyard/contracts';
import { chooseScopes, type DiscoveredVendor, discoverVendor } from '@switchyard/mcp-client';
import { Log } from '@switchyard/service-kit';
import { AuditLogService } from '../audit/audit-log.service.js';
import { OAuthClientsService } from '../vendors/oauth-clients.service.js';
import { VendorsService } from '../vendors/vendors.service.js';

type Registration = Extract<OAuthDiscoveryAnswer, { status: 'found' }>['registration'];

/** Asks a server what its authorization metadata say, to fill an admin's form. Nothing is stored. */
@Injectable()
export class OAuthDiscoveriesService {
  constructor(
    private readonly vendors: VendorsService,
    private readonly clients: OAuthClientsService,
    private readonly audit: AuditLogService,
    private readonly log: Log,
  ) {}

  async discover({ orgId, url }: OAuthDiscovery): Promise<OAuthDiscoveryAnswer> {
    try {
      const { fetch } = this.vendors;
      const vendor = await discoverVendor({ url, fetch, settings: {}, boundIssuer: null });
      return 'open' in vendor ? { status: 'open' } : this.#found(vendor);
    } catch (thrown) {
      const error = toPlatformError(thrown);
      this.log.info({ err: thrown, code: error.code }, 'discovery refused');
      await this.audit.note({
        orgId,
        action: 'discovery_refused',
        result: error.code === 'authorization_server_unavailable' ? 'failed' : 'refused',
        actor: { kind: 'admin', id: null },
        code: error.code,
        details: typeof error.details?.reason === 'string' ? { reason: error.details.reason } : {},
      });
      return { status: 'refused', error: error.toInfo() };
    }
  }

  #found(vendor: DiscoveredVendor): OAuthDiscoveryAnswer {
    const { server } = vendor;
    return {
      status: 'found',
      oauth: this.#settings(vendor),
      scopesSupported: vendor.scopesSupported ?? server.scopesSupported ?? [],
      grantTypesSupported: server.grantTypesSupported ?? ['authorization_code'],
      registration: registrations(server, this.clients.metadataDocumentUrl !== null),
    };
  }

  /** What an admin may keep as it is. A field that our own rules would refuse is left out. */
  #settings(vendor: DiscoveredVendor): OAuthSettings {
    const { issuer } = vendor.server;
    const fields: OAuthSettings = { authorization_server: issuer, resource: vendor.resource };
    const scopes = chooseScopes(vendor, {})?.filter((scope) => scope !== 'offline_access');
    const whole = OAuthSettings.safeParse({ ...fields, ...(scopes && { scopes }) });
    return whole.success ? whole.data : OAuthSettings.parse({ authorization_server: issuer });
  }
}

/** An admin can always register a client by hand. The order is that of the MCP specification. */
function registrations(server: DiscoveredVendor['server'], hasDocument: boolean): Registration {
  return [
    ...(server.supportsMetadataDocument && hasDocument ? (['metadata_document'] as const) : []),
    ...(server.registrationEndpoint ? (['dynamic'] as const) : []),
    'configured',
  ];
}
