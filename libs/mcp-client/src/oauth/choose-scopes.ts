import { computeScopeUnion } from '@modelcontextprotocol/client';
import type { OAuthSettings } from '@switchyard/contracts';
import type { DiscoveredVendor } from './discover-vendor.js';

/** Scopes of an earlier consent, and those that a tool asked for since. */
export type StepUp = { granted: readonly string[] | null; needed: readonly string[] };

/**
 * The scopes to ask consent for, by the scope rules of the MCP authorization specification: what the admin set, else what
 * the challenge asks for, else what the resource supports, else null, which leaves it to the authorization server. A
 * step-up adds to what was granted, so that nothing is lost. `offline_access` joins them only where the authorization
 * server lists it, for others refuse what they do not know. Pure.
 */
export function chooseScopes(
  vendor: DiscoveredVendor,
  settings: OAuthSettings,
  stepUp?: StepUp,
): string[] | null {
  const usual = settings.scopes ?? vendor.challengedScopes ?? vendor.scopesSupported ?? [];
  const union = stepUp ? unionOf(stepUp.granted ?? usual, stepUp.needed) : unionOf(usual);
  if (union.length === 0) return null;
  // What an admin lists is meant as it stands.
  const offline = settings.scopes === undefined && listsOfflineAccess(vendor) ? ['offline_access'] : [];
  return unionOf(union, offline);
}

function listsOfflineAccess({ server }: DiscoveredVendor): boolean {
  return server.scopesSupported?.includes('offline_access') ?? false;
}

function unionOf(...lists: (readonly string[])[]): string[] {
  return computeScopeUnion(...lists.map((scopes) => scopes.join(' ')))?.split(' ') ?? [];
}
