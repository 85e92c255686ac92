import type { WireTool } from '@switchyard/contracts';
import { externalReference } from './external-reference.js';
import { headerAnnotationFault } from './header-annotation-fault.js';

export const toolLimits = { nameLength: 256, bytes: 262_144, depth: 64 } as const;

/** `mirrorsHeaders`: the upstream speaks a revision in which arguments travel as headers too. */
export type ToolContext = { readonly mirrorsHeaders: boolean };

/**
 * Why a tool cannot be offered to anybody, or null. Looks at the frame alone: compiling 5,000 schemas would take
 * longer than the sync, and the gateway compiles the few that are called.
 */
export function toolProblem(tool: WireTool, context: ToolContext): string | null {
  // First of all, because everything below walks the tool recursively.
  if (isDeeperThan(tool, toolLimits.depth)) return `it is nested deeper than ${toolLimits.depth} levels`;
  return sizeProblem(tool) ?? schemaProblem(tool.inputSchema) ?? annotationProblem(tool, context);
}

/** Whether a name can be a key of the catalog at all. Vendors' odd names are mapped on the way out, not here. */
export function isStorableName(name: string): boolean {
  return name.length <= toolLimits.nameLength && !/\p{Cc}/u.test(name) && name.isWellFormed();
}

function sizeProblem(tool: WireTool): string | null {
  const text = JSON.stringify(tool);
  if (Buffer.byteLength(text) > toolLimits.bytes)
    return `its definition is larger than ${toolLimits.bytes} bytes`;
  return isText(text) ? null : 'its definition has characters that are not text';
}

/** JSON.stringify escapes what PostgreSQL's jsonb cannot hold: NUL, and surrogates without their twin. */
export function isText(json: string): boolean {
  return !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(json);
}

function schemaProblem(schema: Readonly<Record<string, unknown>>): string | null {
  if (schema['type'] !== 'object') return 'the type of its input schema is not "object"';
  if (!hasObjectProperties(schema['properties'])) return 'the properties of its input schema are not schemas';
  const { required } = schema;
  if (
    required !== undefined &&
    !(Array.isArray(required) && required.every((name) => typeof name === 'string'))
  ) {
    return 'the required properties of its input schema are not names';
  }
  const reference = externalReference(schema);
  return reference === null
    ? null
    : `its input schema refers to ${reference.slice(0, 100)}, which is outside of it`;
}

function hasObjectProperties(properties: unknown): boolean {
  if (properties === undefined) return true;
  return (
    isRecord(properties) &&
    Object.values(properties).every((schema) => typeof schema === 'boolean' || isRecord(schema))
  );
}

function annotationProblem(tool: WireTool, { mirrorsHeaders }: ToolContext): string | null {
  return mirrorsHeaders ? headerAnnotationFault(tool.inputSchema) : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Level by level, so that no depth overflows the stack. */
function isDeeperThan(value: unknown, limit: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) return true;
    level = level.flatMap((node) => (typeof node === 'object' && node !== null ? Object.values(node) : []));
  }
  return false;
}
