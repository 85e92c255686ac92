import { z } from 'zod';

type JsonSchema = Record<string, unknown>;

/**
 * A zod schema as JSON Schema 2020-12, which OpenAPI 3.1 takes as it is. Schemas with an id become components.
 * `input` is what a caller may send, `output` what it gets.
 */
export function toJsonSchema(schema: unknown, options: { schemaType: 'input' | 'output' }) {
  if (!(schema instanceof z.ZodType)) return undefined;
  const json = z.toJSONSchema(schema, {
    io: options.schemaType,
    target: 'draft-2020-12',
    unrepresentable: 'any',
  });
  const { $schema: _dialect, $defs, ...plain } = withComponentRefs(json);
  const components = ($defs ?? {}) as Record<string, JsonSchema>;
  for (const definition of Object.values(components)) delete definition.id;
  return { schema: plain, components };
}

/** `$ref` stands as a member of its own, so its text cannot be mistaken for anything else. */
function withComponentRefs(json: object): JsonSchema {
  const text = JSON.stringify(json).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/');
  return JSON.parse(text) as JsonSchema;
}
