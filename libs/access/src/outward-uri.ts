import type { CallerContext } from '@switchyard/contracts';
import type { IntegrationRecord } from './records.js';
import type { Snapshot } from './snapshot.js';

const outward = /^sy\.([a-z0-9]+(?:-[a-z0-9]+)*)\+(.+)$/s;

/**
 * The URI, or URI template, by which callers know a resource: `sy.<slug>+` and the upstream's. With it the scheme says
 * whose it is (`file:///a` of `notes` is `sy.notes+file:///a`), and the expressions of a template stay as they are.
 */
export function outwardUri(slug: string, uri: string): string {
  return `sy.${slug}+${uri}`;
}

/** The parts of what `outwardUri` made, or undefined for any other URI. A slug holds no `+`. */
export function parseOutwardUri(uri: string): { slug: string; uri: string } | undefined {
  const [, slug, inner] = outward.exec(uri) ?? [];
  return slug !== undefined && inner !== undefined ? { slug, uri: inner } : undefined;
}

/** The URI under which this caller reads the upstream's: the outward one, and in a toolset without prefixes its own. */
export function toOutwardUri(
  snapshot: Snapshot,
  caller: CallerContext,
  integration: Pick<IntegrationRecord, 'slug'>,
  uri: string,
): string {
  return hasPrefix(snapshot, caller) ? outwardUri(integration.slug, uri) : uri;
}

/** Whether names and URIs carry the integration's slug: everywhere but in a toolset that says otherwise. */
export function hasPrefix(snapshot: Snapshot, { toolsetId }: CallerContext): boolean {
  return (toolsetId && snapshot.toolsets.get(toolsetId)?.prefix) !== false;
}
