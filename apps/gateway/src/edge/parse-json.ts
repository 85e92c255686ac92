import { jsonExcess, type JsonLimits } from './json-limits.js';

export type ParsedJson =
  | { readonly ok: true; readonly value: unknown }
  /** `syntax`: it is no JSON at all; else it is more than we take. The problem repeats nothing of the text. */
  | { readonly ok: false; readonly syntax: boolean; readonly problem: string };

/** Parses a body within limits. A key `__proto__` is refused: other parsers down the line drop or obey it. */
export function parseJson(text: string, limits: JsonLimits): ParsedJson {
  const excess = jsonExcess(text, limits);
  if (excess !== undefined) return { ok: false, syntax: false, problem: excess };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, syntax: true, problem: 'The body is not valid JSON.' };
  }
  const mayHoldKey = text.includes('__proto__') || text.includes('\\u');
  if (mayHoldKey && holdsProtoKey(value)) {
    return { ok: false, syntax: false, problem: 'A key of the JSON is __proto__.' };
  }
  return { ok: true, value };
}

function holdsProtoKey(root: unknown): boolean {
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (Object.hasOwn(value, '__proto__')) return true;
    for (const child of Object.values(value)) open.push(child);
  }
  return false;
}
