import { Injectable } from '@nestjs/common';
import { type ErrorInfo, PlatformError } from '@switchyard/contracts';
import { Log, LruMap } from '@switchyard/service-kit';
import type { AnySchemaObject, ErrorObject, ValidateFunction } from 'ajv';
import { schemaCompiler, schemaExcess } from './schema-compiler.js';

const maxCompiled = 1_000;
const maxErrors = 5;
/** Above it a second pass that collects every error of, say, each array item is not worth its memory. */
const collectUpToLength = 65_536;

type Compiled =
  | { readonly check: ValidateFunction; readonly schema: AnySchemaObject; all?: ValidateFunction }
  | { readonly check: null };

/** What is to be known of a tool. */
export type CheckedTool = {
  /** The same for the same schema alone, such as a digest of what it is part of. */
  readonly key: string;
  /** The upstream's own name of it, and its integration's, for the log. */
  readonly name: string;
  readonly integration: string;
  readonly inputSchema: AnySchemaObject;
};

/** One thing wrong with the arguments. Names places and rules, never values. */
export type ArgumentError = { readonly path: string; readonly message: string };

/**
 * Checks the arguments of a call against the tool's `inputSchema`, before a job is made. A schema that cannot be
 * compiled, or that is beyond bounds, checks nothing: the vendor does.
 */
@Injectable()
export class ArgumentValidator {
  /** By the tools' keys. */
  readonly #compiled = new LruMap<string, Compiled>(maxCompiled, forget);

  constructor(private readonly log: Log) {}

  /** Undefined if they fit; else `tool_arguments_invalid` with up to five errors. */
  check(tool: CheckedTool, args: Record<string, unknown>): ErrorInfo | undefined {
    const compiled = this.#compile(tool);
    if (compiled.check === null || compiled.check(args)) return undefined;
    const errors = collect(compiled, args).slice(0, maxErrors).map(describe);
    const message = errors.map(({ path, message: text }) => `${path || 'arguments'}: ${text}`).join('; ');
    return new PlatformError('tool_arguments_invalid', {
      message: `${message}.`,
      details: { errors },
    }).toInfo();
  }

  #compile({ key, name, integration, inputSchema }: CheckedTool): Compiled {
    const known = this.#compiled.get(key);
    if (known) return known;
    const made = compile(inputSchema);
    if (typeof made === 'string') {
      const fields = { why: made, integration, tool: name };
      this.log.warn(fields, 'arguments of a tool are not checked: its schema cannot be used');
    }
    const compiled = typeof made === 'string' ? { check: null } : made;
    this.#compiled.set(key, compiled);
    return compiled;
  }
}

/** Gives why not, where the schema cannot be used. */
function compile(schema: AnySchemaObject): Compiled | string {
  const excess = schemaExcess(schema);
  if (excess !== undefined) return excess;
  try {
    return { check: schemaCompiler(schema, 'first').compile(schema), schema };
  } catch {
    return 'invalid';
  }
}

function collect(compiled: Exclude<Compiled, { check: null }>, args: Record<string, unknown>): ErrorObject[] {
  const first = compiled.check.errors ?? [];
  if (JSON.stringify(args).length > collectUpToLength) return first;
  compiled.all ??= schemaCompiler(compiled.schema, 'all').compile(compiled.schema);
  return compiled.all(args) ? first : (compiled.all.errors ?? first);
}

function describe({ instancePath, message, keyword, params }: ErrorObject): ArgumentError {
  const named = keyword === 'additionalProperties' ? `: ${String(params['additionalProperty'])}` : '';
  const allowed = keyword === 'enum' ? `: ${JSON.stringify(params['allowedValues']).slice(0, 200)}` : '';
  return { path: instancePath, message: `${message ?? keyword}${named}${allowed}` };
}

/** The compiler keeps every schema it was given until it is told otherwise. */
function forget(compiled: Compiled): void {
  if (compiled.check === null) return;
  for (const mode of ['first', 'all'] as const) {
    const held = mode === 'first' ? compiled.check.schema : compiled.all?.schema;
    if (typeof held === 'object') schemaCompiler(compiled.schema, mode).forget(held);
  }
}
