import type { CallerContext } from '@switchyard/contracts';
import { callerView } from './caller-view.js';
import type { CallerView, GrantedIntegration } from './caller-view.js';
import type { ResolvedTool } from './records.js';
import { requestMatcher } from './request-filter.js';
import type { RequestFilter } from './request-filter.js';
import { isServed, servedTools } from './served-tools.js';
import type { Snapshot } from './snapshot.js';

/**
 * The tools that the caller may use now, sorted by outward name: discovered ∩ enabled ∩ client config ∩ pins ∩ scope and
 * availability ∩ grant ∩ shared ∩ available auth ∩ request filter, of integrations that are served. Every face, planning
 * and dispatch ask here or `findTool`, which agrees with it. Without filters the same array comes back until the
 * snapshot changes.
 */
export function resolveTools(
  snapshot: Snapshot,
  caller: CallerContext,
  filters?: RequestFilter,
): readonly ResolvedTool[] {
  const view = callerView(snapshot, caller);
  view.tools ??= listOf(snapshot, view);
  return filters ? view.tools.filter(requestMatcher(filters)) : view.tools;
}

/** The one tool of `resolveTools` with exactly this outward name: a look-up, however many tools there are. */
export function findTool(
  snapshot: Snapshot,
  caller: CallerContext,
  outwardName: string,
  filters?: RequestFilter,
): ResolvedTool | undefined {
  const found = findGranted(snapshot, callerView(snapshot, caller), outwardName);
  if (!found || found.isUnapproved || !isReachable(snapshot, found.granted)) return undefined;
  return requestMatcher(filters)(found.resolved) ? found.resolved : undefined;
}

/** Whether what the caller was granted of the integration can be used now. */
export function isReachable(snapshot: Snapshot, { integration, hasIdentity }: GrantedIntegration): boolean {
  return hasIdentity && isServed(integration, snapshot.states.get(integration.id));
}

/** A tool that the caller was granted, whatever the state of its integration. */
export type GrantedTool = {
  readonly resolved: ResolvedTool;
  readonly granted: GrantedIntegration;
  readonly isUnapproved: boolean;
};

/** Looks the name up in every granted integration's map. */
export function findGranted(
  snapshot: Snapshot,
  view: CallerView,
  outwardName: string,
): GrantedTool | undefined {
  if (view.toolset) return findInToolset(snapshot, view, outwardName);
  for (const granted of view.granted) {
    const { byName, unapproved } = servedTools(snapshot, granted.integration);
    const resolved = byName.get(outwardName);
    if (!resolved) continue;
    const isUnapproved = unapproved.has(outwardName);
    return granted.grant.tool(resolved) ? { resolved, granted, isUnapproved } : undefined;
  }
  return undefined;
}

function findInToolset(snapshot: Snapshot, view: CallerView, outwardName: string): GrantedTool | undefined {
  const named = view.toolset?.names.get(outwardName);
  if (!named) return undefined;
  const granted = view.granted.find(({ integration }) => integration === named.plain.integration);
  if (!granted?.grant.tool(named.plain)) return undefined;
  const { byName, unapproved } = servedTools(snapshot, granted.integration);
  const { outwardName: plainName } = named.plain;
  if (!byName.has(plainName)) return undefined;
  return { resolved: named.resolved, granted, isUnapproved: unapproved.has(plainName) };
}

function listOf(snapshot: Snapshot, view: CallerView): readonly ResolvedTool[] {
  const list = view.toolset
    ? [...view.toolset.names.keys()].flatMap((name) => usable(snapshot, view, name))
    : view.granted
        .filter((granted) => isReachable(snapshot, granted))
        .flatMap(({ integration, grant }) =>
          servedTools(snapshot, integration).list.filter((tool) => grant.tool(tool)),
        );
  return list.sort((a, b) => (a.outwardName < b.outwardName ? -1 : 1));
}

function usable(snapshot: Snapshot, view: CallerView, name: string): ResolvedTool[] {
  const found = findInToolset(snapshot, view, name);
  return found && !found.isUnapproved && isReachable(snapshot, found.granted) ? [found.resolved] : [];
}
