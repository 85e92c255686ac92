import type { CallerContext } from '@switchyard/contracts';
import { judgeClaim } from './claim-matcher.js';
import { configGrants, everything, type Grant } from './config-grants.js';
import type { PolicyRecord } from './grant-records.js';
import type { ResolvedTool } from './records.js';
import type { Snapshot } from './snapshot.js';
import { toolGroup } from './tool-group.js';

/** What the policies say of something: nothing, where none of them speaks of it. */
export type Decision = 'allow' | 'deny' | undefined;

/** What the policies that a caller is under say of one integration. */
export type PolicyDecision = {
  readonly tool: (resolved: ResolvedTool) => Decision;
  readonly prompts: Decision;
  readonly resources: Decision;
  /** Whether some tool of it may be allowed, as far as that is known without any. */
  readonly mayAllow: boolean;
  /** Whether all of its tools are denied, whatever they are. */
  readonly deniesAll: boolean;
};

/** Policies of one priority. */
type Tier = { readonly allow: Grant; readonly deny: Grant };

/** By slug. */
export type PolicyDecisions = (slug: string) => PolicyDecision;

/**
 * The policies that the caller is under: of their organization, for one of their roles, every matcher true. Where a
 * claim was too large to travel, a denial holds and a permission does not.
 */
export function heldPolicies(snapshot: Snapshot, caller: CallerContext): PolicyRecord[] {
  return (snapshot.policiesByOrg.get(caller.orgId) ?? []).filter((policy) => isHeld(policy, caller));
}

/**
 * Compiles policies: the highest priority that speaks of a tool decides, and among equals a denial. What none speaks of
 * is not granted, but not denied to a toolset either.
 */
export function policyDecisions(snapshot: Snapshot, held: readonly PolicyRecord[]): PolicyDecisions {
  const byPriority = [...Map.groupBy(held, ({ priority }) => priority)].sort(([a], [b]) => b - a);
  const tiers = byPriority.map(([, policies]) => ({
    allow: speech(snapshot, policies, 'allow'),
    deny: speech(snapshot, policies, 'deny'),
  }));
  return (slug) => {
    const of = tiers.map(({ allow, deny }) => ({ allow: allow(slug), deny: deny(slug) }));
    return {
      tool: (resolved) => decide(of, (grant) => grant.tool(resolved)),
      prompts: decide(of, ({ prompts }) => prompts),
      resources: decide(of, ({ resources }) => resources),
      ...reach(of),
    };
  };
}

function isHeld({ roles, matchers, effect }: PolicyRecord, caller: CallerContext): boolean {
  if (roles && !roles.some((role) => caller.roles.includes(role))) return false;
  const enough = effect === 'deny' ? ['match', 'unknown'] : ['match'];
  return matchers.every((matcher) => enough.includes(judgeClaim(matcher, caller.claims)));
}

/** What policies of one priority and effect name: of each integration the union. */
function speech(
  snapshot: Snapshot,
  policies: readonly PolicyRecord[],
  effect: PolicyRecord['effect'],
): (slug: string) => Grant {
  const spoken = policies.filter((policy) => policy.effect === effect);
  const byConfig = configGrants(spoken.flatMap(({ mcpConfigs }) => mcpConfigs));
  const groups = spoken
    .flatMap(({ groupIds, orgId }) => groupIds.map((id) => ({ group: snapshot.toolGroups.get(id), orgId })))
    .flatMap(({ group, orgId }) => (group?.orgId === orgId ? [toolGroup(group)] : []));
  return (slug) => {
    const grant = byConfig(slug);
    const fitting = groups.filter(({ mayHaveOf }) => mayHaveOf(slug));
    if (fitting.length === 0) return grant;
    const tool = (resolved: ResolvedTool) => grant.tool(resolved) || fitting.some(({ has }) => has(resolved));
    // Tools are all that a group gives. But who denies one of a whole server means its prompts and resources too.
    const isDenied = effect === 'deny' && fitting.some(({ speaksOf }) => speaksOf(slug));
    return {
      tool: grant.tool === everything.tool ? everything.tool : tool,
      prompts: grant.prompts || isDenied,
      resources: grant.resources || isDenied,
      mayHold: true,
    };
  };
}

function decide(tiers: readonly Tier[], isSpokenOf: (grant: Grant) => boolean): Decision {
  for (const { allow, deny } of tiers) {
    if (isSpokenOf(deny)) return 'deny';
    if (isSpokenOf(allow)) return 'allow';
  }
  return undefined;
}

/** The first that speaks of every tool ends what those below it may say. */
function reach(tiers: readonly Tier[]): Pick<PolicyDecision, 'mayAllow' | 'deniesAll'> {
  for (const { allow, deny } of tiers) {
    const isDenied = deny.tool === everything.tool;
    if (isDenied || allow.mayHold) return { mayAllow: !isDenied, deniesAll: isDenied };
  }
  return { mayAllow: false, deniesAll: false };
}
