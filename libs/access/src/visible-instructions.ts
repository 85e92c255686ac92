import type { CallerContext } from '@switchyard/contracts';
import { callerView } from './caller-view.js';
import { isReachable, resolveTools } from './resolve-tools.js';
import type { Snapshot } from './snapshot.js';

/** What a server says of its use: a vendor's text, to be shown as such. */
export type Instructions = { readonly slug: string; readonly instructions: string };

/** The instructions of the integrations of which the caller has anything now, sorted by slug. */
export function visibleInstructions(snapshot: Snapshot, caller: CallerContext): Instructions[] {
  const { granted } = callerView(snapshot, caller);
  const withTools = new Set(resolveTools(snapshot, caller).map(({ integration }) => integration));
  return granted
    .filter((one) => isReachable(snapshot, one))
    .filter(({ integration, grant }) => withTools.has(integration) || grant.prompts || grant.resources)
    .flatMap(({ integration: { id, slug } }) => {
      const instructions = snapshot.states.get(id)?.instructions;
      return instructions ? [{ slug, instructions }] : [];
    })
    .sort((a, b) => (a.slug < b.slug ? -1 : 1));
}
