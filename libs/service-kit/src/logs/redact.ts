/** What stands in a log line where a secret was. */
const redacted = '[redacted]';
const deepest = 8;

/** Field names whose value is never logged, compared in lower case without `-` and `_`. */
const hiddenFields = new Set([
  'authorization', 'proxyauthorization', 'cookie', 'setcookie', 'headers', 'rawheaders', 'xapikey', 'xbfvirtualkey',
  'key', 'apikey', 'virtualkey', 'adminkey', 'masterkey', 'sealkey', 'privatekey', 'datakey', 'seal', 'jwe', 'jwt',
  'arguments', 'args', 'argv', 'env', 'body', 'assertion', 'credential', 'credentials', 'codeverifier', 'parameters',
]); // prettier-ignore
const hiddenEndings = /(secrets?|tokens?|passwords?|passphrase|apikey|privatekey|jwk)$/;

/**
 * Secrets by their shape, wherever they stand: bearer tokens, virtual keys, JWT and JWE (or what is left of one),
 * passwords and keys in URLs. Each shape matches a text in one way only: others choose what we log, and it may be long.
 */
const shapes: readonly [RegExp, string][] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{6,}/gi, `$1 ${redacted}`],
  [/\bvk_[\w-]{6,}/g, `vk_${redacted}`],
  [/\beyJ[\w-]{8}[\w.-]*/g, redacted],
  [/(\w:\/\/)[^\s/@"':]*:[^\s/@"']*@/g, `$1${redacted}@`],
  [/([?&][\w-]*(?:token|key|secret|code|password|signature|assertion)=)[^&\s"'\\]+/gi, `$1${redacted}`],
];

const knownSecrets = new Set<string>();

/** From now on no log line of this process shows the value, nor the password of a URL. Values below 8 characters are too common to scrub. */
export function hideFromLogs(value: string): void {
  const password = URL.canParse(value) ? decodeURIComponent(new URL(value).password) : '';
  for (const text of [value, password]) {
    if (text.length < 8) continue;
    knownSecrets.add(text);
    knownSecrets.add(JSON.stringify(text).slice(1, -1));
  }
}

/** Scrubs text, a finished log line for instance, of known secrets and of everything that looks like one. */
export function scrub(text: string): string {
  let clean = text;
  for (const known of knownSecrets) if (clean.includes(known)) clean = clean.replaceAll(known, redacted);
  for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
  return clean;
}

/** A copy fit for a log: secret fields hidden at any depth, errors reduced to type, message, code, stack and cause. */
export function redactFields(fields: object): Record<string, unknown> {
  return copyFields(fields, { seen: new WeakSet(), depth: 0 });
}

type Walk = { seen: WeakSet<object>; depth: number };

function copyFields(fields: object, walk: Walk): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      isHidden(name, value) ? redacted : copy(value, walk),
    ]),
  );
}

function isHidden(name: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'number')
    return false;
  const plain = name.toLowerCase().replaceAll(/[-_]/g, '');
  return hiddenFields.has(plain) || hiddenEndings.test(plain);
}

// eslint-disable-next-line complexity -- one line per kind of value
function copy(value: unknown, walk: Walk): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (walk.seen.has(value) || walk.depth >= deepest) return '[…]';
  walk.seen.add(value);
  const deeper = { seen: walk.seen, depth: walk.depth + 1 };
  if (value instanceof Error) return copyError(value, deeper);
  if (value instanceof Map || value instanceof Set) return copy([...value], deeper);
  if (Array.isArray(value)) return value.map((item: unknown) => copy(item, deeper));
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') return copy(value.toJSON(), deeper);
  return copyFields(value, deeper);
}

/** Named fields only: drivers put queries, parameters and whole commands on their errors. */
function copyError(error: Error & { code?: unknown; errors?: unknown }, walk: Walk): Record<string, unknown> {
  return {
    type: error.constructor.name,
    message: error.message,
    ...(error.code !== undefined && { code: copy(error.code, walk) }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: copy(error.cause, walk) }),
    ...(Array.isArray(error.errors) && { errors: copy(error.errors, walk) }),
  };
}
