const references = ['$ref', '$dynamicRef', '$recursiveRef'];
/** Their values are data, not schemas. */
const dataKeywords = new Set(['const', 'default', 'enum', 'examples']);

/** A reference that leads out of the schema, or null. Such a one must not be fetched, so the schema cannot be checked. */
export function externalReference(schema: object): string | null {
  const found: { ids: string[]; references: string[] } = { ids: [], references: [] };
  collect(schema, found);
  return found.references.find((reference) => !isInside(reference, found.ids)) ?? null;
}

function collect(node: unknown, found: { ids: string[]; references: string[] }): void {
  if (typeof node !== 'object' || node === null) return;
  for (const [key, member] of Object.entries(node)) {
    if (typeof member === 'string') {
      if (key === '$id') found.ids.push(withoutFragment(member));
      if (references.includes(key)) found.references.push(member);
    } else if (!dataKeywords.has(key)) collect(member, found);
  }
}

function isInside(reference: string, ids: readonly string[]): boolean {
  const target = withoutFragment(reference);
  return target === '' || ids.some((id) => id === target || id.endsWith(`/${target}`));
}

function withoutFragment(uri: string): string {
  const [before = ''] = uri.split('#', 1);
  return before;
}
