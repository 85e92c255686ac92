import { discoverAuthorizationServerMetadata, IssuerMismatchError } from '@modelcontextprotocol/client';
import { PlatformError, type OAuthSettings } from '@switchyard/contracts';
import { isShallow } from '../sessions/is-shallow.js';
import { authorizationServerOf, type AuthorizationServer } from './authorization-server.js';
import { endpointUrl } from './endpoint-url.js';
import { vendorRefused } from './vendor-error.js';
import { metadataFetch, type Fetch } from './vendor-fetch.js';

/**
 * The authorization server of an issuer, by its metadata (RFC 8414, then OpenID Connect Discovery), which must name that
 * same issuer; a final slash alone may differ. null: it publishes none, and `settings` do not replace them. Throws
 * `authorization_server_unavailable`, `egress_denied`, or `upstream_protocol_error` with `details.reason`.
 */
export async function discoverAuthorizationServer(input: {
  issuer: string;
  fetch: Fetch;
  settings: OAuthSettings;
}): Promise<AuthorizationServer | null> {
  const { issuer, settings } = input;
  endpointUrl(issuer, issuer);
  const metadata = await metadataOf(issuer, input.fetch);
  // They are kept as they came, by what recurses.
  if (!isShallow(metadata)) throw vendorRefused('metadata_invalid');
  if (metadata) return authorizationServerOf(metadata, settings);
  const hasEndpoints = settings.authorization_endpoint && settings.token_endpoint;
  return hasEndpoints ? authorizationServerOf({ issuer }, settings) : null;
}

async function metadataOf(issuer: string, fetch: Fetch) {
  try {
    return await discoverAuthorizationServerMetadata(issuer, { fetchFn: metadataFetch(fetch).fetch });
  } catch (thrown) {
    if (thrown instanceof PlatformError) throw thrown;
    const isOthers = thrown instanceof IssuerMismatchError;
    throw vendorRefused(isOthers ? 'metadata_issuer_mismatch' : 'metadata_invalid', thrown);
  }
}
