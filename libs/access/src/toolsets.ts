import type { CallerContext } from '@switchyard/contracts';
import type { ToolsetRecord } from './grant-records.js';
import type { ToolMode } from './records.js';
import type { Snapshot } from './snapshot.js';

/** The active toolset of the organization at `/mcp/{slug}`. */
export function findToolset(snapshot: Snapshot, orgId: string, slug: string): ToolsetRecord | undefined {
  return (snapshot.toolsetsByOrg.get(orgId) ?? []).find((toolset) => toolset.slug === slug);
}

/**
 * Whether the caller may use the toolset. A virtual key has those that are attached to the key itself, a user's own one
 * too: it never has more than its admin gave it. A user with a token has those of the user and of the user's roles.
 */
export function isAttached(
  _snapshot: Snapshot,
  toolset: ToolsetRecord,
  { kind, orgId, virtualKeyId, userId, roles }: CallerContext,
): boolean {
  if (toolset.orgId !== orgId || kind === 'anonymous') return false;
  if (virtualKeyId !== null) return toolset.virtualKeyIds.includes(virtualKeyId);
  if (kind !== 'user' || userId === null) return false;
  return toolset.userIds.includes(userId) || toolset.roles.some((role) => roles.includes(role));
}

/** The active toolsets that the caller may use, sorted by slug. */
export function attachedToolsets(snapshot: Snapshot, caller: CallerContext): ToolsetRecord[] {
  const all = snapshot.toolsetsByOrg.get(caller.orgId) ?? [];
  return all.filter((toolset) => isAttached(snapshot, toolset, caller));
}

/** How the caller's tools are listed: as the toolset says, else the virtual key, else each of them. */
export function toolModeOf(snapshot: Snapshot, caller: CallerContext): ToolMode {
  const toolset = caller.toolsetId && snapshot.toolsets.get(caller.toolsetId);
  if (toolset) return toolset.toolMode;
  return snapshot.virtualKeysById.get(caller.virtualKeyId ?? '')?.toolMode ?? 'all';
}

/** The limit under which the caller's calls are counted, and the name of the count; null: no limit. */
export function rateLimitOf(
  snapshot: Snapshot,
  { virtualKeyId, userId, orgId }: CallerContext,
): { key: string; limit: number; intervalMs: number } | null {
  const key = snapshot.virtualKeysById.get(virtualKeyId ?? '');
  if (key?.rateLimit) return { key: `key:${key.id}`, ...key.rateLimit };
  const ofUser = userId === null ? null : snapshot.organizations.get(orgId)?.userRateLimit;
  return ofUser ? { key: `user:${userId}`, ...ofUser } : null;
}
