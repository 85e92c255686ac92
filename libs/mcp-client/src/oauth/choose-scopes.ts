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
  const before = stepUp ? (stepUp.granted ?? usual) : usual;
  const union = computeScopeUnion(before.join(' '), stepUp?.needed.join(' '));
  if (union === undefined) return null;
  const isOffline =
    settings.scopes === undefined && vendor.server.scopesSupported?.includes('offline_access');
  return [...new Set([...union.split(' '), ...(isOffline ? ['offline_access'] : [])])];
}
