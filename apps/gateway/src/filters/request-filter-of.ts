import type { IncomingHttpHeaders } from 'node:http';
import type { RequestFilter } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { z } from 'zod';

const mostNames = 1_000;
const longestName = 200;

const kinds = [
  ['includeClients', 'x-bf-mcp-include-clients', 'include_clients'],
  ['excludeClients', 'x-bf-mcp-exclude-clients', 'exclude_clients'],
  ['includeTools', 'x-bf-mcp-include-tools', 'include_tools'],
  ['excludeTools', 'x-bf-mcp-exclude-tools', 'exclude_tools'],
] as const;

/** The filter that headers ask for, as `/mcp` takes it: lists separated by commas. A header that is there and empty allows nothing. */
export function requestFilterOf(headers: IncomingHttpHeaders): RequestFilter | undefined {
  return toFilter((_, header) => ({ label: header, value: headers[header] }));
}

/** The same of a query: `?include_clients=github,jira`, or the parameter once for each name. */
export function requestFilterFromQuery(query: unknown): RequestFilter | undefined {
  const given = (typeof query === 'object' && query !== null ? query : {}) as Record<string, unknown>;
  return toFilter((parameter) => ({
    label: parameter,
    value: Object.hasOwn(given, parameter) ? given[parameter] : undefined,
  }));
}

const Names = z.array(z.string().max(longestName)).max(mostNames).optional();

/** The same of a JSON body: fields to spread into a route's schema. */
export const filterFields = {
  include_clients: Names,
  exclude_clients: Names,
  include_tools: Names,
  exclude_tools: Names,
};

/** The filter of a body that was parsed with `filterFields`. */
export function requestFilterFromBody(body: {
  readonly [field in keyof typeof filterFields]?: readonly string[];
}): RequestFilter | undefined {
  return assemble(kinds.map(([kind, , field]) => [kind, body[field]]));
}

type Given = { readonly label: string; readonly value: unknown };

function toFilter(read: (parameter: string, header: string) => Given): RequestFilter | undefined {
  return assemble(kinds.map(([kind, header, parameter]) => [kind, namesOf(read(parameter, header))]));
}

function assemble(
  lists: readonly (readonly [keyof RequestFilter, readonly string[] | undefined])[],
): RequestFilter | undefined {
  const present = lists.filter(([, names]) => names !== undefined);
  return present.length > 0 ? (Object.fromEntries(present) as RequestFilter) : undefined;
}

/** A list that comes in several parts is one list (RFC 9110, section 5.3). */
function namesOf({ label, value }: Given): string[] | undefined {
  if (value === undefined) return undefined;
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
