type Json = Record<string, unknown>;

const combinators = ['anyOf', 'oneOf', 'allOf'] as const;
const notAtTheTop = new Set<string>([...combinators, 'not', 'enum', 'const', '$schema', '$id']);

/**
 * A tool's input schema as providers take it: an object at the top, without the combinators that they refuse there.
 * Their branches' properties stay, as optional ones. It only guides the model: the pipeline holds the arguments to
 * the tool's own schema.
 */
export function modelSchema(inputSchema: Json): Json {
  const kept = Object.fromEntries(Object.entries(inputSchema).filter(([key]) => !notAtTheTop.has(key)));
  const properties = Object.assign(
    {},
    ...branchesOf(inputSchema).map(propertiesOf),
    propertiesOf(inputSchema),
  );
  return { ...kept, type: 'object', properties };
}

function branchesOf(schema: Json): Json[] {
  return combinators.flatMap((key) => (Array.isArray(schema[key]) ? schema[key].filter(isObject) : []));
}

function propertiesOf(schema: Json): Json {
  return isObject(schema.properties) ? schema.properties : {};
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
