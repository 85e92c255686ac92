const MAX_DEPTH = 512;

/**
 * Whether a parsed JSON value is nested no deeper than everything that handles it later can bear. `JSON.parse` takes
 * any depth; what recurses, `JSON.stringify` first of all, ends with an overflown stack. Walks without recursion.
 */
export function isShallow(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return false;
    const below: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      for (const child of Object.values(one))
        if (typeof child === 'object' && child !== null) below.push(child);
    }
    level = below;
  }
  return true;
}
