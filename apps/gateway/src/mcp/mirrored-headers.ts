import { rpcCodes, type RpcRefusal } from './json-rpc.js';

type Schema = Record<string, unknown>;

/** An argument that a tool's schema wants mirrored in a header (`x-mcp-header`, MCP 2026-07-28, transports). */
type Mirrored = { readonly header: string; readonly path: readonly string[]; readonly type: unknown };

const headerPrefix = 'mcp-param-';
const sentinel = /^=\?base64\?(.*)\?=$/s;
const canonicalBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const decimal = /^-?\d+(?:\.\d+)?$/;
const maxDepth = 16;

/**
 * Compares the arguments of a call with the headers that mirror them: whoever routed or judged the request by a header
 * must have seen what the tool gets. The SDK checks this only for tools that it was told of, and ours are resolved
 * per call. Undefined when all agree; a header without its argument is ignored.
 */
export function mirrorMismatch(
  inputSchema: unknown,
  args: unknown,
  header: (name: string) => string | undefined,
): RpcRefusal | undefined {
  for (const mirrored of mirroredArguments(inputSchema)) {
    const text = textOf(valueAt(args, mirrored.path));
    if (text === undefined) continue;
    const name = `${headerPrefix}${mirrored.header}`;
    const sent = header(name.toLowerCase());
    if (sent === undefined) return refusal(name, 'is missing though the body carries its argument');
    const decoded = decode(sent);
    if (decoded === undefined) return refusal(name, 'carries an invalid Base64 value');
    if (!agree(decoded, text, mirrored.type)) return refusal(name, 'differs from its argument in the body');
  }
  return undefined;
}

function mirroredArguments(schema: unknown, path: readonly string[] = []): Mirrored[] {
  if (!isObject(schema) || path.length > maxDepth) return [];
  const own = schema['x-mcp-header'];
  const here =
    typeof own === 'string' && path.length > 0 ? [{ header: own, path, type: schema['type'] }] : [];
  const { properties } = schema;
  if (!isObject(properties)) return here;
  return [
    ...here,
    ...Object.entries(properties).flatMap(([key, child]) => mirroredArguments(child, [...path, key])),
  ];
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (node, key) => (isObject(node) && Object.hasOwn(node, key) ? node[key] : undefined),
    root,
  );
}

/** Only primitives are mirrored; null counts as absent. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}

/** A value outside of a header's characters is sent as `=?base64?…?=` over UTF-8. */
function decode(value: string): string | undefined {
  const encoded = sentinel.exec(value)?.[1];
  if (encoded === undefined) return value;
  if (!canonicalBase64.test(encoded)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
}

function agree(sent: string, argument: string, type: unknown): boolean {
  if (sent === argument) return true;
  const isNumeric = type === 'integer' || type === 'number';
  return isNumeric && decimal.test(sent) && decimal.test(argument) && Number(sent) === Number(argument);
}

function refusal(header: string, what: string): RpcRefusal {
  const message = `Bad Request: the request headers and body disagree: the ${header} header ${what}`;
  return { httpStatus: 400, code: rpcCodes.headerMismatch, message, id: null };
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
