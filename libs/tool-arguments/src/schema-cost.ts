type Node = Record<string, unknown>;

/**
 * How many subschemas a check of one value may walk through, references followed: `allOf: [#a, #a]` doubles with each
 * level, so a page of text can ask for hours. `Infinity` when a reference leads somewhere that is not in the schema.
 * Recursion counts once: how deep it goes is up to the value, which has limits of its own. Linear in the schema's size.
 */
export function schemaCost(root: unknown): number {
  const anchors = new Map<string, unknown>();
  collectAnchors(root, anchors);
  const known = new Map<object, number>();
  const open = new Set<object>();

  function cost(value: unknown): number {
    if (typeof value !== 'object' || value === null || open.has(value)) return 0;
    const before = known.get(value);
    if (before !== undefined) return before;
    open.add(value);
    let sum = 1;
    for (const child of Object.values(value)) sum += cost(child);
    for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef']) {
      const reference = (value as Node)[keyword];
      if (typeof reference === 'string') sum += referenceCost(reference);
    }
    open.delete(value);
    known.set(value, sum);
    return sum;
  }

  function referenceCost(reference: string): number {
    const target = resolve(root, anchors, reference);
    return target === undefined ? Number.POSITIVE_INFINITY : cost(target);
  }

  return cost(root);
}

function collectAnchors(value: unknown, anchors: Map<string, unknown>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const keyword of ['$anchor', '$dynamicAnchor']) {
    const name = (value as Node)[keyword];
    if (typeof name === 'string') anchors.set(name, value);
  }
  for (const child of Object.values(value)) collectAnchors(child, anchors);
}

function resolve(root: unknown, anchors: Map<string, unknown>, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  const fragment = reference.slice(1);
  if (fragment === '') return root;
  if (!fragment.startsWith('/')) return anchors.get(fragment);
  return fragment
    .slice(1)
    .split('/')
    .map((part) => unescape(part))
    .reduce<unknown>(
      (node, part) =>
        typeof node === 'object' && node !== null && Object.hasOwn(node, part)
          ? (node as Node)[part]
          : undefined,
      root,
    );
}

/** RFC 6901 in a URI fragment. A malformed escape names nothing. */
function unescape(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return part;
  }
}
