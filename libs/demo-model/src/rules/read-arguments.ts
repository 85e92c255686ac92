/** Arguments read from plain text, and the required ones that the text does not say. */
export type ReadArguments = {
  readonly values: Record<string, unknown>;
  readonly missing: readonly string[];
};

type Property = { readonly type?: unknown; readonly enum?: readonly unknown[] };
type ObjectSchema = { readonly properties: Record<string, Property>; readonly required: readonly string[] };

/**
 * Reads a tool's arguments from what the user wrote about it: a JSON object; else `key=value` for the schema's
 * properties; else a quoted text for the only required string.
 */
export function readArguments(text: string, parameters: Record<string, unknown> | undefined): ReadArguments {
  const schema = objectSchema(parameters);
  const values = jsonObjectIn(text) ?? spoken(text, schema);
  return { values, missing: schema.required.filter((name) => !Object.hasOwn(values, name)) };
}

function objectSchema(parameters: Record<string, unknown> = {}): ObjectSchema {
  const { properties, required } = parameters;
  const known = typeof properties === 'object' && properties !== null ? properties : {};
  return {
    properties: known as Record<string, Property>,
    required: Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [],
  };
}

const mostTries = 20;

/** What stands from the first `{` to the last `}` with which it is JSON. */
function jsonObjectIn(text: string): Record<string, unknown> | undefined {
  const start = text.indexOf('{');
  if (start < 0) return undefined;
  let tries = mostTries;
  for (let end = text.lastIndexOf('}'); end > start && tries > 0; end = text.lastIndexOf('}', end - 1)) {
    tries--;
    try {
      return JSON.parse(text.slice(start, end + 1)) as Record<string, unknown>;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** `key=value`, from where a word begins and to where the next quotation does: no part of the text is tried twice. */
const pair = /(?<![\w-])[\d-]*([A-Za-z_][\w-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|“([^“”]*)”|([^\s,;]+))/g;
const quotedText = /"([^"]*)"|(?<!\w)'([^']*)'(?!\w)|“([^“”]*)”|`([^`]*)`/;

function spoken(text: string, schema: ObjectSchema): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const pairs = text.matchAll(pair);
  for (const [, key = '', ...forms] of pairs) {
    const property = schema.properties[key];
    if (property) values[key] = typed(forms.find((form) => form !== undefined) ?? '', property);
  }
  const only = Object.keys(values).length === 0 ? onlyRequiredString(schema) : undefined;
  const quoted = only === undefined ? undefined : quotedText.exec(text);
  if (only !== undefined && quoted) values[only] = quoted.slice(1).find((form) => form !== undefined) ?? '';
  return values;
}

function onlyRequiredString({ properties, required }: ObjectSchema): string | undefined {
  const strings = required.filter((name) => properties[name]?.type === 'string');
  return strings.length === 1 ? strings[0] : undefined;
}

/** The text as the schema's type where it is one; else as it stands, for the schema to refuse. */
function typed(text: string, { type }: Property): unknown {
  if (type === 'string' || type === undefined) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
