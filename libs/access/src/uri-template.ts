/** One expression, or the text between two. */
type Part = { readonly literal: string } | { readonly isAny: boolean };

const compiled = new Map<string, readonly Part[] | null>();
const maxCompiled = 5_000;
const maxLength = 2_048;
const maxExpressions = 8;
/** Of the templates whose text before the first expression fits: each costs up to a millisecond. */
const maxTried = 200;

/**
 * The first of what is given whose RFC 6570 template could expand to the URI. Looser than the RFC, for it only says
 * which upstream is asked, and that one answers: a plain `{name}` stands for text without `/`, `?` or `#`, every other
 * expression for any. Templates are vendors' texts and URIs are callers': no URI or template of more than 2,048
 * characters fits, none of more than eight expressions, and 200 are tried at most.
 */
export function findByTemplate<T>(
  list: readonly T[],
  templateOf: (one: T) => string,
  uri: string,
): T | undefined {
  if (uri.length > maxLength) return undefined;
  let tried = 0;
  for (const one of list) {
    const template = templateOf(one);
    if (!uri.startsWith(literalStart(template))) continue;
    if (++tried > maxTried) return undefined;
    const parts = partsOf(template);
    if (parts && matches(parts, uri)) return one;
  }
  return undefined;
}

function literalStart(template: string): string {
  const end = template.indexOf('{');
  return end === -1 ? template : template.slice(0, end);
}

/** Null: too much of a template. */
function partsOf(template: string): readonly Part[] | null {
  const known = compiled.get(template);
  if (known !== undefined) return known;
  const parts = parse(template);
  const oldest = compiled.size >= maxCompiled ? compiled.keys().next().value : undefined;
  if (oldest !== undefined) compiled.delete(oldest);
  compiled.set(template, parts);
  return parts;
}

function parse(template: string): readonly Part[] | null {
  if (template.length > maxLength) return null;
  const pieces = template.split(/(\{[^{}]*\})/);
  if (pieces.length > 2 * maxExpressions + 1) return null;
  const parts: Part[] = [];
  for (const [at, piece] of pieces.entries()) {
    if (piece === '') continue;
    const part: Part = at % 2 === 0 ? { literal: piece } : { isAny: !/^\{\w+\}$/.test(piece) };
    const last = parts.at(-1);
    // Two expressions side by side stand for what either of them does.
    if (last && 'isAny' in last && 'isAny' in part) parts[parts.length - 1] = widest(last, part);
    else parts.push(part);
  }
  return parts;
}

function widest(a: { isAny: boolean }, b: { isAny: boolean }): Part {
  return { isAny: a.isAny || b.isAny };
}

/** Where in a URI the parts so far can end, as a mark at each such place. */
type Ends = Uint8Array<ArrayBuffer>;

/** From part to part: no more work than parts times characters, and mostly far less. */
function matches(parts: readonly Part[], uri: string): boolean {
  const last = parts.at(-1);
  if (last && 'literal' in last && !uri.endsWith(last.literal)) return false;
  let ends: Ends = new Uint8Array(uri.length + 1);
  ends[0] = 1;
  for (const [at, part] of parts.entries()) {
    const next = parts[at + 1];
    ends =
      'literal' in part
        ? afterLiteral(part.literal, uri, ends, next)
        : afterExpression(part.isAny, uri, ends);
  }
  return ends[uri.length] === 1;
}

function afterLiteral(literal: string, uri: string, ends: Ends, next: Part | undefined): Ends {
  const after = new Uint8Array(ends.length);
  // Before the end nothing but the last place counts, before an expression for any text nothing but the first.
  const isFirstEnough = next !== undefined && 'isAny' in next && next.isAny;
  const from = next ? 0 : uri.length - literal.length;
  for (let at = uri.indexOf(literal, from); at !== -1; at = uri.indexOf(literal, at + 1)) {
    if (ends[at] !== 1) continue;
    after[at + literal.length] = 1;
    if (isFirstEnough) break;
  }
  return after;
}

function afterExpression(isAny: boolean, uri: string, ends: Ends): Ends {
  const after = new Uint8Array(ends.length);
  const first = ends.indexOf(1);
  if (first === -1) return after;
  if (isAny) return after.fill(1, first);
  for (let at = first, isOpen = false; at < ends.length; at++) {
    isOpen = ends[at] === 1 || (isOpen && !isDelimiter(uri.charCodeAt(at - 1)));
    if (isOpen) after[at] = 1;
  }
  return after;
}

/** `/`, `?` or `#`. */
function isDelimiter(code: number): boolean {
  return code === 0x2f || code === 0x3f || code === 0x23;
}
