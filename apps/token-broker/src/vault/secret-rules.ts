import type { VaultWrite } from '@switchyard/contracts';

export type SecretKind = Extract<VaultWrite, { op: 'put' }>['kind'];

export const secretLimits = {
  entries: 64,
  nameLength: 256,
  headerValueBytes: 16_384,
  envValueBytes: 65_536,
  clientSecretBytes: 4_096,
  totalBytes: 262_144,
} as const;

/** Headers that the MCP client and HTTP set themselves: a static value would break or redirect the request. */
const reservedHeader =
  /^(accept|connection|content-.*|expect|host|keep-alive|last-event-id|mcp-.*|proxy-connection|te|trailer|traceparent|tracestate|transfer-encoding|upgrade)$/i;

/** RFC 9110, 5.6.2 (token) and 5.5 (field value: no CR, LF, NUL or other control character). */
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const envName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What is wrong with a set of values, naming names and never values. Empty when the set can be stored. */
export function secretProblems(kind: SecretKind, values: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(values);
  if (entries.length > secretLimits.entries)
    return [`at most ${secretLimits.entries} values are stored for one integration`];
  if (totalBytes(entries) > secretLimits.totalBytes)
    return [`all values together are larger than ${secretLimits.totalBytes} bytes`];
  const check = checks[kind];
  const problems = entries.flatMap(([name, value]) => check(name, value) ?? []);
  return kind === 'headers' ? [...problems, ...twinProblems(entries.map(([name]) => name))] : problems;
}

const checks: Record<SecretKind, (name: string, value: string) => string | null> = {
  headers: headerProblem,
  env: envProblem,
  oauth_client: printableProblem(['client_secret'], 'an OAuth client'),
  model_key: printableProblem(['api_key'], 'a model’s key'),
  webhook: printableProblem(['current', 'previous'], 'the secrets of a webhook'),
};

function headerProblem(name: string, value: string): string | null {
  if (name.length > secretLimits.nameLength || !headerName.test(name))
    return `${printable(name)} is not a header name`;
  if (reservedHeader.test(name)) return `${name} is set by the platform and cannot be stored`;
  if (value.trim() === '' || value.trim() !== value)
    return `the value of ${name} is empty or has blanks around it`;
  if (!headerValue.test(value)) return `the value of ${name} has characters that a header cannot hold`;
  return byteLength(value) > secretLimits.headerValueBytes
    ? `the value of ${name} is larger than ${secretLimits.headerValueBytes} bytes`
    : null;
}

function envProblem(name: string, value: string): string | null {
  if (name.length > secretLimits.nameLength || !envName.test(name))
    return `${printable(name)} is not the name of an environment variable`;
  if (value.includes('\0') || !value.isWellFormed())
    return `the value of ${name} has characters that an environment variable cannot hold`;
  return byteLength(value) > secretLimits.envValueBytes
    ? `the value of ${name} is larger than ${secretLimits.envValueBytes} bytes`
    : null;
}

/** RFC 6749, appendix A.2: a client's secret is printable ASCII. So are keys of models and secrets of webhooks. */
function printableProblem(names: readonly string[], what: string) {
  return (name: string, value: string): string | null => {
    if (!names.includes(name)) return `${printable(name)} is no part of ${what}`;
    if (!/^[\x20-\x7e]+$/.test(value)) return `${name} is empty or has characters that it cannot hold`;
    return byteLength(value) > secretLimits.clientSecretBytes
      ? `${name} is larger than ${secretLimits.clientSecretBytes} bytes`
      : null;
  };
}

/** Header names are equal whatever their case. */
function twinProblems(names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.flatMap((name) => {
    const isTwin = seen.has(name.toLowerCase());
    seen.add(name.toLowerCase());
    return isTwin ? [`${printable(name)} is there twice`] : [];
  });
}

function totalBytes(entries: readonly (readonly [string, string])[]): number {
  return entries.reduce((sum, [name, value]) => sum + byteLength(name) + byteLength(value), 0);
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** A name that is no name may hold anything, CR and LF too. */
function printable(name: string): string {
  return JSON.stringify(name.slice(0, 40));
}
