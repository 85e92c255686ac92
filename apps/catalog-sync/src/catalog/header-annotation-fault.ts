const annotation = 'x-mcp-header';
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Their values are data, not schemas. */
const dataKeywords = new Set(['const', 'default', 'enum', 'examples']);
const annotatableTypes: readonly unknown[] = ['string', 'integer', 'boolean'];

type Walk = { readonly path: string; readonly isReachable: boolean; readonly names: Set<string> };

/**
 * The first rule of MCP 2026-07-28 ("Schema Extension" of Streamable HTTP) that an `x-mcp-header` annotation breaks,
 * or null. A client must leave out a tool that breaks one: it could not be called as its own schema demands.
 */
export function headerAnnotationFault(inputSchema: object): string | null {
  return faultOf(inputSchema, { path: '', isReachable: true, names: new Set() });
}

function faultOf(node: unknown, walk: Walk): string | null {
  if (typeof node !== 'object' || node === null) return null;
  const own =
    annotation in node && !Array.isArray(node) ? ownFault(node as Record<string, unknown>, walk) : null;
  return own ?? firstFault(Object.entries(node), walk);
}

function firstFault(members: readonly [string, unknown][], walk: Walk): string | null {
  for (const [key, member] of members) {
    if (dataKeywords.has(key)) continue;
    const fault =
      key === 'properties'
        ? propertiesFault(member, walk)
        : faultOf(member, { ...walk, path: `${walk.path}/${key}`, isReachable: false });
    if (fault) return fault;
  }
  return null;
}

function propertiesFault(properties: unknown, walk: Walk): string | null {
  if (typeof properties !== 'object' || properties === null) return null;
  for (const [name, schema] of Object.entries(properties)) {
    const fault = faultOf(schema, { ...walk, path: `${walk.path}/${name}` });
    if (fault) return fault;
  }
  return null;
}

function ownFault(schema: Record<string, unknown>, { path, isReachable, names }: Walk): string | null {
  const name = schema[annotation];
  if (!isReachable || path === '')
    return `${annotation} at ${path || 'the root'} is not on a property reached by 'properties' alone`;
  if (typeof name !== 'string' || !token.test(name)) return `${annotation} of ${path} is not a header token`;
  if (!annotatableTypes.includes(schema['type']))
    return `${annotation} of ${path} is not on a string, integer or boolean`;
  if (names.has(name.toLowerCase())) return `${annotation} of ${path} is there twice`;
  names.add(name.toLowerCase());
  return null;
}
