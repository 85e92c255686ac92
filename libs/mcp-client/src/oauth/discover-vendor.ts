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
  const { isOpen, challenge } = await ask(input);
  const metadataUrl = challenge.resourceMetadata;
  const resource = await discoverProtectedResource({ url, metadataUrl, fetch });
  if (isOpen && !resource && !settings.authorization_server) return { open: true };
  const server = await serverOf(input, chooseIssuer(input, resource));
  return {
    resource: settings.resource ?? resource?.resource ?? resourceOf(url),
    scopesSupported: resource?.scopesSupported ?? null,
    challengedScopes: challenge.scopes,
    server,
  };
}

async function ask({ url, fetch, challenge }: DiscoverVendorInput) {
  const probe =
    challenge === undefined ? await probeServer(url, fetch) : { isOpen: false, challenge: challenge };
  const none = { scopes: null, resourceMetadata: null };
  return { isOpen: probe.isOpen, challenge: bearerChallenge(probe.challenge) ?? none };
}

async function serverOf(input: DiscoverVendorInput, issuer: string): Promise<AuthorizationServer> {
  const server = await discoverAuthorizationServer({ issuer, fetch: input.fetch, settings: input.settings });
  if (!server) throw vendorRefused('no_authorization_server');
  if (input.boundIssuer !== null && server.issuer !== input.boundIssuer)
    throw vendorRefused('issuer_changed');
  return server;
}

/** The issuer whose metadata are asked for: the admin's, else the bound one if it is still named, else the first named. */
function chooseIssuer(input: DiscoverVendorInput, resource: ProtectedResource | null): string {
  const { url, settings, boundIssuer } = input;
  const listed = resource?.authorizationServers ?? [];
  // Servers of the revision 2025-03-26 have no such metadata: there the server's own origin was the issuer.
  if (boundIssuer === null) return settings.authorization_server ?? listed[0] ?? new URL('/', url).href;
  const named = settings.authorization_server ? [settings.authorization_server] : listed;
  const found = named.find((one) => isSameIssuer(one, boundIssuer));
  if (!found && named.length > 0) throw vendorRefused('issuer_changed');
  return found ?? boundIssuer;
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
