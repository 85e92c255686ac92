import type { Ajv as AjvInstance, AnySchemaObject, Options, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { linearRegExp, type LinearMatcher, NotLinear } from '@switchyard/access';
import { canonicalJson } from '@switchyard/queue';

import { schemaCost } from './schema-cost.js';

/** Bounds of a vendor's schema: beyond them its arguments go to the vendor unchecked. */
const maxSchemaLength = 262_144;
const maxSchemaDepth = 64;
const maxSchemaCost = 4_000;

type Compiler = { compile(schema: AnySchemaObject): ValidateFunction; forget(schema: AnySchemaObject): void };

/**
 * Options against hostile schemas: no `$ref` is ever fetched (there is no `loadSchema`), none is copied in line (which
 * can grow exponentially), an `$id` stays with its schema, formats are annotations, patterns run in linear time.
 */
const options: Options = {
  strict: false,
  validateSchema: false,
  validateFormats: false,
  addUsedSchema: false,
  inlineRefs: false,
  unicodeRegExp: false,
  logger: false,
  code: { regExp: Object.assign(lenientRegExp, { code: 'lenientRegExp' }) },
};

/** A dialect's compilers: one stops at the first error, the other collects all. */
type Dialect = { first: AjvInstance; all: AjvInstance };

const dialects = new Map<string, Dialect>();

function dialectOf(schema: AnySchemaObject): Dialect {
  const uri = typeof schema['$schema'] === 'string' ? schema['$schema'] : '';
  if (/draft-0[3-7]/.test(uri)) return dialect('draft-07', Ajv);
  return uri.includes('2019-09') ? dialect('2019-09', Ajv2019) : dialect('2020-12', Ajv2020);
}

function dialect(name: string, Engine: new (options: Options) => AjvInstance): Dialect {
  const known = dialects.get(name);
  if (known) return known;
  const made = {
    first: withUniqueItems(new Engine(options)),
    all: withUniqueItems(new Engine({ ...options, allErrors: true })),
  };
  dialects.set(name, made);
  return made;
}

/** Ajv compares each item with each other, which for 30,000 of them takes half a minute; a set of texts takes none. */
function withUniqueItems(ajv: AjvInstance): AjvInstance {
  ajv.removeKeyword('uniqueItems');
  return ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    errors: false,
    error: { message: 'must NOT have duplicate items' },
    validate: (isWanted: boolean, items: unknown[]) =>
      !isWanted || new Set(items.map((item) => canonicalJson(item))).size === items.length,
  });
}

/** The compiler of a schema's dialect; 2020-12 where the schema names none (MCP 2025-11-25). */
export function schemaCompiler(schema: AnySchemaObject, mode: 'first' | 'all'): Compiler {
  const ajv = dialectOf(schema)[mode];
  return {
    compile: (plain) => ajv.compile(withoutDialect(plain)),
    forget: (plain) => void ajv.removeSchema(plain),
  };
}

/** Why a schema is not compiled, or undefined. */
export function schemaExcess(schema: unknown): string | undefined {
  const text = JSON.stringify(schema);
  if (text.length > maxSchemaLength) return 'too_large';
  if (depthOf(schema, maxSchemaDepth) > maxSchemaDepth) return 'too_deep';
  if (schemaCost(schema) > maxSchemaCost) return 'too_costly';
  // An unchecked pattern would apply its subschema to every property.
  return text.includes('"patternProperties"') && hasUnlinearKey(schema) ? 'not_linear' : undefined;
}

/** A URI that we have no meta-schema of, such as draft-04's, must not stop the compiler. */
function withoutDialect(schema: AnySchemaObject): AnySchemaObject {
  const { $schema: _, ...plain } = schema;
  return plain;
}

/** A `pattern` without a linear form is left for the vendor to check. */
function lenientRegExp(pattern: string): LinearMatcher {
  try {
    return linearRegExp(pattern);
  } catch (error) {
    if (error instanceof NotLinear) return { test: () => true };
    throw error;
  }
}

function depthOf(value: unknown, limit: number): number {
  if (typeof value !== 'object' || value === null || limit < 0) return 0;
  return 1 + Math.max(0, ...Object.values(value).map((child) => depthOf(child, limit - 1)));
}

function hasUnlinearKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const patterns = (value as { patternProperties?: unknown }).patternProperties;
  const keys = typeof patterns === 'object' && patterns !== null ? Object.keys(patterns) : [];
  return keys.some(isNotLinear) || Object.values(value).some(hasUnlinearKey);
}

function isNotLinear(pattern: string): boolean {
  try {
    linearRegExp(pattern);
    return false;
  } catch {
    return true;
  }
}
