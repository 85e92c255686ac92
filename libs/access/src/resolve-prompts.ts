import type { CallerContext, WirePrompt } from '@switchyard/contracts';
import { callerView } from './caller-view.js';
import type { CallerView } from './caller-view.js';
import type { FeatureRecord, ResolvedPrompt } from './feature-records.js';
import { namedIntegrations } from './named-integrations.js';
import { bareName, outwardName, uniqueNames } from './outward-name.js';
import type { IntegrationRecord } from './records.js';
import { clientFilter } from './request-filter.js';
import type { RequestFilter } from './request-filter.js';
import { isReachable } from './resolve-tools.js';
import type { Snapshot } from './snapshot.js';

/**
 * The prompts that the caller may get now, sorted by outward name: by the layers of `resolveTools`, where the grant
 * covers every tool of the integration or says `prompts: true`.
 */
export function resolvePrompts(
  snapshot: Snapshot,
  caller: CallerContext,
  filters?: RequestFilter,
): readonly ResolvedPrompt[] {
  const view = callerView(snapshot, caller);
  view.prompts ??= listOf(snapshot, caller, view);
  const isAsked = clientFilter(filters);
  return filters ? view.prompts.filter(({ integration }) => isAsked(integration)) : view.prompts;
}

/** The one prompt of `resolvePrompts` with exactly this name. */
export function findPrompt(
  snapshot: Snapshot,
  caller: CallerContext,
  outwardName: string,
  filters?: RequestFilter,
): ResolvedPrompt | undefined {
  return resolvePrompts(snapshot, caller, filters).find((prompt) => prompt.outwardName === outwardName);
}

type Entry = { readonly integration: IntegrationRecord; readonly feature: FeatureRecord };

function listOf(snapshot: Snapshot, caller: CallerContext, view: CallerView): readonly ResolvedPrompt[] {
  const hasPrefix = view.toolset?.record.prefix !== false;
  const usable = new Set(
    view.granted
      .filter((granted) => granted.grant.prompts && isReachable(snapshot, granted))
      .map(({ integration }) => integration),
  );
  const entries = namedIntegrations(snapshot, caller, view, 'prompts').flatMap((integration) =>
    promptsOf(snapshot, integration),
  );
  return [...uniqueNames(entries.map((entry) => wantedName(entry, hasPrefix)))]
    .filter(([{ integration }]) => usable.has(integration))
    .map(([entry, name]) => resolve(entry, name))
    .sort((a, b) => (a.outwardName < b.outwardName ? -1 : 1));
}

function promptsOf(snapshot: Snapshot, integration: IntegrationRecord): Entry[] {
  const features = snapshot.features.get(integration.id) ?? [];
  return features
    .filter(({ kind }) => kind === 'prompt')
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((feature) => ({ integration, feature }));
}

function wantedName(entry: Entry, hasPrefix: boolean) {
  const { integration, feature } = entry;
  const name = hasPrefix ? outwardName(integration.slug, feature.name) : bareName(feature.name);
  return { key: entry, name, full: `${integration.slug}_${feature.name}` };
}

function resolve({ integration, feature }: Entry, name: string): ResolvedPrompt {
  const wire = feature.wire as WirePrompt;
  return {
    integration,
    outwardName: name,
    prompt: { name: feature.name, wire },
    wire: { ...wire, name },
  };
}
