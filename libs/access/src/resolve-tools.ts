import type { CallerContext } from '@switchyard/contracts';
import { callerView } from './caller-view.js';
import type { CallerView, GrantedIntegration } from './caller-view.js';
import type { ResolvedTool } from './records.js';
import { requestMatcher } from './request-filter.js';
import type { RequestFilter } from './request-filter.js';
import { isServed, servedTools } from './served-tools.js';
import type { Snapshot } from './snapshot.js';

/**
 * The tools that the caller may use now, sorted by outward name: discovered ∩ enabled ∩ client config ∩ scope and
 * availability ∩ grant ∩ available auth ∩ request filter, of integrations that are served. Every face, planning and dispatch ask
 * here or `findTool`, which agrees with it. Without filters the same array comes back until the snapshot changes.
 */
export function resolveTools(
  snapshot: Snapshot,
  caller: CallerContext,
  filters?: RequestFilter,
): readonly ResolvedTool[] {
  const view = callerView(snapshot, caller);
  view.list ??= listOf(snapshot, view);
  return filters ? view.list.filter(requestMatcher(filters)) : view.list;
}

/** The one tool of `resolveTools` with exactly this outward name: a look-up, however many tools there are. */
export function findTool(
  snapshot: Snapshot,
  caller: CallerContext,
  outwardName: string,
  filters?: RequestFilter,
): ResolvedTool | undefined {
  const found = findGranted(snapshot, callerView(snapshot, caller), outwardName);
  if (!found?.granted.hasIdentity || !requestMatcher(filters)(found.resolved)) return undefined;
  const { resolved } = found;
  return isServed(resolved.integration, snapshot.states.get(resolved.integration.id)) ? resolved : undefined;
}

/** Looks the name up in every granted integration's map, whatever its state. */
export function findGranted(
  snapshot: Snapshot,
  view: CallerView,
  outwardName: string,
): { readonly resolved: ResolvedTool; readonly granted: GrantedIntegration } | undefined {
  for (const granted of view.granted) {
    const resolved = servedTools(snapshot, granted.integration).byName.get(outwardName);
    if (resolved)
      return granted.isGranted(resolved.tool.name, outwardName) ? { resolved, granted } : undefined;
  }
  return undefined;
}

function listOf(snapshot: Snapshot, view: CallerView): readonly ResolvedTool[] {
  const parts = view.granted
    .filter((granted) => granted.hasIdentity)
    .filter(({ integration }) => isServed(integration, snapshot.states.get(integration.id)))
    .map(({ integration, isGranted }) =>
      servedTools(snapshot, integration).list.filter(({ tool, outwardName }) =>
        isGranted(tool.name, outwardName),
      ),
    );
  return parts.flat().sort((a, b) => (a.outwardName < b.outwardName ? -1 : 1));
}
