import type { Snapshot } from './snapshot.js';

const maxBytes = 8_192;

/** Under this name a projection lists the claims that were too large to travel. No path of a claim may be it. */
export const leftOutClaims = '$left_out';

/** The dotted paths of all claims that active policies of the organization ask for, sorted. */
export function policyClaimPaths(snapshot: Snapshot, orgId: string): string[] {
  const policies = snapshot.policiesByOrg.get(orgId) ?? [];
  return [...new Set(policies.flatMap(({ matchers }) => matchers.map(({ path }) => path)))].sort();
}

/**
 * The claims at the given paths, by path: all of a token that travels with a call. What is absent or null is left out.
 * More than 8 kB in all are too many: the largest are left out and listed, so that a policy that denies by one of them
 * denies, and one that allows does not allow. What is a projection already is projected again alike.
 */
export function projectClaims(
  claims: Readonly<Record<string, unknown>>,
  paths: readonly string[],
): Record<string, unknown> {
  const found = paths
    .map((path) => ({ path, value: claimAt(claims, path) }))
    .filter(({ value }) => value !== undefined && value !== null)
    .map((entry) => ({ ...entry, bytes: Buffer.byteLength(JSON.stringify([entry.path, entry.value])) }))
    .sort((a, b) => a.bytes - b.bytes);
  let bytes = 0;
  const kept = found.filter((entry) => (bytes += entry.bytes) <= maxBytes);
  const left = [...found.slice(kept.length).map(({ path }) => path), ...leftBefore(claims, paths)];
  return {
    ...Object.fromEntries(kept.map(({ path, value }) => [path, value])),
    ...(left.length > 0 && { [leftOutClaims]: left }),
  };
}

function leftBefore(claims: Readonly<Record<string, unknown>>, paths: readonly string[]): string[] {
  const left = Object.hasOwn(claims, leftOutClaims) ? claims[leftOutClaims] : undefined;
  return Array.isArray(left) ? paths.filter((path) => left.includes(path)) : [];
}

/** By the whole name first: claims of some providers are URLs, which have dots too. */
function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path.split('.').reduce<unknown>((value, name) => own(value, name), claims);
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}
