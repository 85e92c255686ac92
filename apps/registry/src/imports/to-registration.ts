import { parseBody } from '@switchyard/service-kit';
import type { FieldError } from '@switchyard/service-kit';
import { refuseFields } from '../http/refuse-fields.js';
import { CreateIntegration } from '../integrations/integration.schemas.js';
import type { CreateIntegrationBody } from '../integrations/integration.schemas.js';
import { McpServerEntry } from './import.schemas.js';

/** `${NAME}`, `${env:NAME}`, `${input:name}`: the client that wrote the file would fill them in, we cannot. */
const placeholder = /\$\{[^}]*\}/;
const ours = new Set(Object.keys(McpServerEntry.shape));

export type Registration = { body: CreateIntegrationBody; warnings: string[] };

/** The slug for a name of an `mcp.json`, which may be anything; null if nothing is left of it. */
export function slugFor(name: string): string | null {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 48)
    .replace(/^-|-$/g, '');
  return slug === '' ? null : slug;
}

/** One server of an `mcp.json` as a registration. Throws `invalid_request` that names the fields. */
export function toRegistration(name: string, slug: string | null, given: unknown): Registration {
  const entry = parseBody(McpServerEntry, given);
  refuseFields([...shapeErrors(entry), ...placeholderErrors(entry)]);
  const body = parseBody(CreateIntegration, {
    slug: slug ?? undefined,
    name: name.trim(),
    transport: transportOf(entry),
    headers: orUndefined(entry.headers),
    env: orUndefined(entry.env),
    enabled: entry.disabled !== true,
  });
  const ignored = Object.keys(entry).filter((key) => !ours.has(key));
  return { body, warnings: ignored.map((key) => `"${key}" is ignored.`) };
}

function shapeErrors({ url, command, type }: McpServerEntry): FieldError[] {
  if (url === undefined && command === undefined)
    return [{ path: '', message: 'has neither url nor command' }];
  if (url !== undefined && command !== undefined) return [{ path: '', message: 'has both url and command' }];
  const isStdio = type === 'stdio';
  return type !== undefined && isStdio !== (command !== undefined)
    ? [{ path: 'type', message: 'does not fit the rest' }]
    : [];
}

function placeholderErrors({
  url,
  command,
  args = [],
  headers = {},
  env = {},
}: McpServerEntry): FieldError[] {
  const flat = {
    url,
    command,
    ...prefixed('args', args),
    ...prefixed('headers', headers),
    ...prefixed('env', env),
  };
  return Object.entries(flat)
    .filter(([, text]) => text !== undefined && placeholder.test(text))
    .map(([path]) => ({
      path,
      message: 'has a ${…} placeholder: put the value itself there, it goes to the vault',
    }));
}

function transportOf({ type, url, command, args }: McpServerEntry) {
  if (command !== undefined) return { type: 'stdio', command, args: args ?? [] };
  return { type: type === 'sse' ? 'sse' : 'http', url };
}

function prefixed(field: string, values: readonly string[] | Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${field}.${key}`, value]));
}

function orUndefined(values: Record<string, string> | undefined): Record<string, string> | undefined {
  return values && Object.keys(values).length > 0 ? values : undefined;
}
