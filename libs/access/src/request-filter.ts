import { slugOf } from './config-grants.js';
import type { IntegrationRecord, ResolvedTool } from './records.js';

/**
 * What a request asks to see of its caller's tools. An absent list is no filter, a present and empty one allows
 * nothing; an include list makes the exclude list of its kind irrelevant; clients and tools both have to agree.
 * Clients are slugs (`_` counts as `-`); tools are outward names, or `<slug>_*`, `<slug>-*`; `*` is all.
 */
export type RequestFilter = {
  readonly includeClients?: readonly string[];
  readonly excludeClients?: readonly string[];
  readonly includeTools?: readonly string[];
  readonly excludeTools?: readonly string[];
};

type Matcher = (resolved: Pick<ResolvedTool, 'integration' | 'outwardName'>) => boolean;

const all: Matcher = () => true;

/** Compiles a filter. It can only narrow: it is asked about tools that the caller has. */
export function requestMatcher(filter: RequestFilter | undefined): Matcher {
  if (!filter) return all;
  const client = either(filter.includeClients, filter.excludeClients, clientMatcher);
  const tool = either(filter.includeTools, filter.excludeTools, toolMatcher);
  return (resolved) => client(resolved) && tool(resolved);
}

/** Compiles the lists of clients alone: what counts for prompts, resources and instructions. */
export function clientFilter(filter: RequestFilter | undefined): (integration: IntegrationRecord) => boolean {
  const client = either(filter?.includeClients, filter?.excludeClients, clientMatcher);
  return (integration) => client({ integration, outwardName: '' });
}

type List = readonly string[] | undefined;

function either(include: List, exclude: List, compile: (names: readonly string[]) => Matcher): Matcher {
  if (include) return compile(include);
  if (!exclude) return all;
  const excluded = compile(exclude);
  return (resolved) => !excluded(resolved);
}

function clientMatcher(names: readonly string[]): Matcher {
  const slugs = new Set(names.map(slugOf));
  return slugs.has('*') ? all : ({ integration }) => slugs.has(integration.slug);
}

function toolMatcher(names: readonly string[]): Matcher {
  const exact = new Set(names);
  if (exact.has('*')) return all;
  const slugs = new Set(
    names.filter((name) => /[_-]\*$/.test(name)).map((name) => slugOf(name.slice(0, -2))),
  );
  return ({ integration, outwardName }) => exact.has(outwardName) || slugs.has(integration.slug);
}
