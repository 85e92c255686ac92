import type { CallerContext, WireResource, WireResourceTemplate } from '@switchyard/contracts';
import { callerView } from './caller-view.js';
import type { CallerView } from './caller-view.js';
import type {
  FeatureKind,
  FeatureRecord,
  ResolvedResource,
  ResolvedResourceTemplate,
} from './feature-records.js';
import { namedIntegrations } from './named-integrations.js';
import { hasPrefix, parseOutwardUri, toOutwardUri } from './outward-uri.js';
import type { IntegrationRecord } from './records.js';
import { clientFilter } from './request-filter.js';
import type { RequestFilter } from './request-filter.js';
import { isReachable } from './resolve-tools.js';
import type { Snapshot } from './snapshot.js';
import { findByTemplate } from './uri-template.js';

/**
 * The listed resources that the caller may read now, in the order of slugs and of the upstreams' lists: by the layers of
 * `resolveTools`, where the grant covers every tool of the integration or says `resources: true`.
 */
export function resolveResources(
  snapshot: Snapshot,
  caller: CallerContext,
  filters?: RequestFilter,
): readonly ResolvedResource[] {
  const view = callerView(snapshot, caller);
  view.resources ??= usableOf(
    snapshot,
    view,
    featuresOf(snapshot, caller, 'resource', (integration, { name, wire }) => {
      const uri = toOutwardUri(snapshot, caller, integration, name);
      return { integration, outwardUri: uri, uri: name, wire: { ...wire, uri } as WireResource };
    }),
    ({ outwardUri }) => outwardUri,
  );
  return narrowed(view.resources, filters);
}

/** The resource templates, as `resolveResources` the resources. */
export function resolveResourceTemplates(
  snapshot: Snapshot,
  caller: CallerContext,
  filters?: RequestFilter,
): readonly ResolvedResourceTemplate[] {
  const view = callerView(snapshot, caller);
  view.templates ??= usableOf(
    snapshot,
    view,
    featuresOf(snapshot, caller, 'resource_template', (integration, { name, wire }) => {
      const outwardTemplate = toOutwardUri(snapshot, caller, integration, name);
      const renamed = { ...wire, uriTemplate: outwardTemplate } as WireResourceTemplate;
      return { integration, outwardTemplate, uriTemplate: name, wire: renamed };
    }),
    ({ outwardTemplate }) => outwardTemplate,
  );
  return narrowed(view.templates, filters);
}

/** What a URI of a caller is at its upstream. */
export type FoundResource = { readonly integration: IntegrationRecord; readonly uri: string };

/**
 * Whose a URI is and what it is there: a listed resource, else what a template of an integration can make. A namespaced
 * one that is neither is still its integration's to answer, for tools link to what no list holds; without a namespace
 * that goes where only one integration has resources.
 */
export function findResource(
  snapshot: Snapshot,
  caller: CallerContext,
  outwardUri: string,
  filters?: RequestFilter,
): FoundResource | undefined {
  const listed = resolveResources(snapshot, caller, filters).find((one) => one.outwardUri === outwardUri);
  if (listed) return { integration: listed.integration, uri: listed.uri };
  const readable = narrowed(readableOf(snapshot, caller), filters);
  if (hasPrefix(snapshot, caller)) return findNamespaced(readable, outwardUri);
  const owner = ownerInToolset(snapshot, caller, outwardUri);
  const [only, ...others] = readable.filter(({ integration }) => hasResources(snapshot, integration));
  const integration = owner ?? (others.length === 0 ? only?.integration : undefined);
  return readable.some((one) => one.integration === integration) && integration
    ? { integration, uri: outwardUri }
    : undefined;
}

/** The one template of `resolveResourceTemplates` that is written exactly so. */
export function findResourceTemplate(
  snapshot: Snapshot,
  caller: CallerContext,
  outwardTemplate: string,
  filters?: RequestFilter,
): ResolvedResourceTemplate | undefined {
  return resolveResourceTemplates(snapshot, caller, filters).find(
    (template) => template.outwardTemplate === outwardTemplate,
  );
}

type Owned = { readonly integration: IntegrationRecord };

/** A namespace belongs to one integration, whether a template of it fits or not. */
function findNamespaced(readable: readonly Owned[], outwardUri: string): FoundResource | undefined {
  const parsed = parseOutwardUri(outwardUri);
  const owner = parsed && readable.find(({ integration }) => integration.slug === parsed.slug);
  return owner && { integration: owner.integration, uri: parsed.uri };
}

function hasResources(snapshot: Snapshot, { id }: IntegrationRecord): boolean {
  return snapshot.states.get(id)?.capabilities?.['resources'] !== undefined;
}

function readableOf(snapshot: Snapshot, caller: CallerContext): Owned[] {
  return readable(snapshot, callerView(snapshot, caller));
}

function readable(snapshot: Snapshot, view: CallerView): Owned[] {
  return view.granted
    .filter((granted) => granted.grant.resources && isReachable(snapshot, granted))
    .sort((a, b) => (a.integration.slug < b.integration.slug ? -1 : 1));
}

/** Who lists the URI where it has no namespace, or whose template fits it, whether the caller may read it or not. */
function ownerInToolset(
  snapshot: Snapshot,
  caller: CallerContext,
  uri: string,
): IntegrationRecord | undefined {
  const named = (kind: FeatureKind) =>
    featuresOf(snapshot, caller, kind, (integration, { name }) => ({ integration, name }));
  const found =
    named('resource').find(({ name }) => name === uri) ??
    findByTemplate(named('resource_template'), ({ name }) => name, uri);
  return found?.integration;
}

/** Of all that have names here, the caller's or not. */
function featuresOf<R>(
  snapshot: Snapshot,
  caller: CallerContext,
  wanted: FeatureKind,
  resolve: (integration: IntegrationRecord, feature: FeatureRecord) => R,
): R[] {
  const named = namedIntegrations(snapshot, caller, callerView(snapshot, caller), 'resources');
  return named.flatMap((integration) =>
    (snapshot.features.get(integration.id) ?? [])
      .filter(({ kind }) => kind === wanted)
      .map((feature) => resolve(integration, feature)),
  );
}

/** The first in the order of slugs keeps what two integrations of a toolset without prefixes both list. */
function usableOf<R extends Owned>(
  snapshot: Snapshot,
  view: CallerView,
  list: readonly R[],
  keyOf: (one: R) => string,
): readonly R[] {
  const usable = new Set(readable(snapshot, view).map(({ integration }) => integration));
  const seen = new Set<string>();
  return list
    .filter((one) => !seen.has(keyOf(one)) && seen.add(keyOf(one)))
    .filter(({ integration }) => usable.has(integration));
}

function narrowed<R extends Owned>(list: readonly R[], filters: RequestFilter | undefined): readonly R[] {
  const isAsked = clientFilter(filters);
  return filters ? list.filter(({ integration }) => isAsked(integration)) : list;
}
