import { resourceUrlFromServerUrl } from '@modelcontextprotocol/client';
import type { OAuthSettings } from '@switchyard/contracts';
import { bearerChallenge } from '../failures/bearer-challenge.js';
import type { AuthorizationServer } from './authorization-server.js';
import { discoverProtectedResource, type ProtectedResource } from './discover-resource.js';
import { discoverAuthorizationServer } from './discover-server.js';
import { probeServer } from './probe-server.js';
import { vendorRefused } from './vendor-error.js';
import type { Fetch } from './vendor-fetch.js';

/** An MCP server, and the authorization server that issues its tokens. */
export type DiscoveredVendor = {
  /** RFC 8707: goes with every authorization and token request. */
  resource: string;
  /** Of the resource; `server.scopesSupported` are the authorization server's. */
  scopesSupported: string[] | null;
  challengedScopes: string[] | null;
  server: AuthorizationServer;
};

export type DiscoverVendorInput = {
  /** Of the MCP server. */
  url: string;
  fetch: Fetch;
  settings: OAuthSettings;
  /** The issuer to which credentials are bound already: no other is taken, whatever the server says now. */
  boundIssuer: string | null;
  /** `WWW-Authenticate` of a refusal. Without it the server is asked. */
  challenge?: string;
};

/**
 * Finds out how an MCP server is authorized at: challenge, protected resource metadata, authorization server metadata.
 * What the admin set wins. `open`: the server answers without a token and names no authorization server. Throws
 * `authorization_server_unavailable`, `egress_denied`, `result_too_large`, or `upstream_protocol_error` with
 * `details.reason`.
 */
export async function discoverVendor(input: DiscoverVendorInput): Promise<DiscoveredVendor | { open: true }> {
  const { url, fetch, settings } = input;
  const probe =
    input.challenge === undefined
      ? await probeServer(url, fetch)
      : { isOpen: false, challenge: input.challenge };
  const challenge = bearerChallenge(probe.challenge);
  const metadataUrl = challenge?.resourceMetadata ?? null;
  const resource = await discoverProtectedResource({ url, metadataUrl, fetch });
  if (probe.isOpen && !resource && !settings.authorization_server) return { open: true };
  const issuer = chooseIssuer(input, resource);
  const server = await discoverAuthorizationServer({ issuer, fetch, settings });
  if (!server) throw vendorRefused('no_authorization_server');
  if (input.boundIssuer !== null && server.issuer !== input.boundIssuer)
    throw vendorRefused('issuer_changed');
  return {
    resource: settings.resource ?? resource?.resource ?? resourceOf(url),
    scopesSupported: resource?.scopesSupported ?? null,
    challengedScopes: challenge?.scopes ?? null,
    server,
  };
}

function chooseIssuer(
  { url, settings, boundIssuer }: DiscoverVendorInput,
  resource: ProtectedResource | null,
) {
  const set = settings.authorization_server;
  if (set !== undefined) {
    if (boundIssuer !== null && !isSameIssuer(set, boundIssuer)) throw vendorRefused('issuer_changed');
    return set;
  }
  const listed = resource?.authorizationServers ?? [];
  if (boundIssuer !== null) {
    const found = listed.find((one) => isSameIssuer(one, boundIssuer));
    if (!found && listed.length > 0) throw vendorRefused('issuer_changed');
    return found ?? boundIssuer;
  }
  // Servers of the revision 2025-03-26 have no such metadata: there the server's own origin was the issuer.
  return listed[0] ?? new URL('/', url).href;
}

/** Lists write an issuer with a final slash or without. Which of the two it is, its own metadata say. */
function isSameIssuer(a: string, b: string): boolean {
  return a === b || a === `${b}/` || `${a}/` === b;
}

/** The canonical URI of a server (MCP, authorization): its URL without fragment, and without a slash for a path. */
function resourceOf(url: string): string {
  const { href, pathname, search } = resourceUrlFromServerUrl(url);
  return pathname === '/' && !search ? href.replace(/\/$/, '') : href;
}
