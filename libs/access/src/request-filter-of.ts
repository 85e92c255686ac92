import type { IncomingHttpHeaders } from 'node:http';
import { PlatformError } from '@switchyard/contracts';
import { z } from 'zod';
import type { RequestFilter } from './request-filter.js';

const mostNames = 1_000;
const longestName = 200;

const kinds = [
  ['includeClients', 'x-bf-mcp-include-clients', 'include_clients'],
  ['excludeClients', 'x-bf-mcp-exclude-clients', 'exclude_clients'],
  ['includeTools', 'x-bf-mcp-include-tools', 'include_tools'],
  ['excludeTools', 'x-bf-mcp-exclude-tools', 'exclude_tools'],
] as const;
const known = new Set<string>(kinds.flatMap(([, header, field]) => [header, field]));
const likeAFilter = /^(x-bf-mcp-(in|ex)clude-|(in|ex)clude_)/i;

const Names = z.array(z.string().max(longestName)).max(mostNames).optional();

/** Fields of a JSON body, to spread into a route's schema. */
export const filterFields = {
  include_clients: Names,
  exclude_clients: Names,
  include_tools: Names,
  exclude_tools: Names,
};

const text = z.unknown().optional();

/** The query of a route that takes a filter and nothing else; to be extended by what a route takes besides. */
export const FilterQuery = z.strictObject({
  include_clients: text,
  exclude_clients: text,
  include_tools: text,
  exclude_tools: text,
});

/** All places in which a request can say what it narrows itself to. The body is one that its schema has passed. */
export type FilterSources = {
  readonly headers: IncomingHttpHeaders;
  readonly query?: unknown;
  readonly body?: unknown;
};

/**
 * The filter of a request, wherever it stands: headers, query or body. Every face reads every place, for a filter that
 * is passed over gives more than was asked for; so a list that stands in two places is refused, and a misspelt one.
 * Headers and queries hold lists separated by commas; one that is there and empty allows nothing.
 */
export function requestFilterOf({ headers, query, body }: FilterSources): RequestFilter | undefined {
  const places = [headers, query, body].map(fieldsOf);
  for (const name of places.flatMap(Object.keys))
    if (likeAFilter.test(name) && !known.has(name)) throw refused(name, 'is no filter');
  const lists = kinds.map(([kind, header, field]) => [kind, onlyOne(places, [header, field])] as const);
  const present = lists.filter(([, names]) => names !== undefined);
  return present.length > 0 ? (Object.fromEntries(present) as RequestFilter) : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(place: unknown): Fields {
  return typeof place === 'object' && place !== null ? (place as Fields) : {};
}

function onlyOne([headers = {}, query = {}, body = {}]: Fields[], [header, field]: [string, string]) {
  const given = [
    { label: header, value: own(headers, header) },
    { label: field, value: own(query, field) },
    { label: field, value: own(body, field) },
  ].filter(({ value }) => value !== undefined);
  const [first, second] = given;
  if (first === undefined) return undefined;
  if (second !== undefined) throw refused(second.label, 'is given in more than one place');
  return namesOf(first);
}

function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** A list that comes in several parts is one list (RFC 9110, section 5.3). */
function namesOf({ label, value }: { label: string; value: unknown }): string[] {
  const parts = [value].flat();
  if (!parts.every((part) => typeof part === 'string')) throw refused(label, 'is not a list of names');
  const names = parts.flatMap((part) => part.split(',')).map((name) => name.trim());
  const kept = [...new Set(names.filter((name) => name !== ''))];
  if (kept.length > mostNames) throw refused(label, `has more than ${mostNames} names`);
  if (kept.some((name) => name.length > longestName))
    throw refused(label, `has a name of more than ${longestName} characters`);
  return kept;
}

function refused(path: string, message: string): PlatformError {
  return new PlatformError('invalid_request', {
    message: `${path} ${message}.`,
    details: { errors: [{ path, message }] },
  });
}
