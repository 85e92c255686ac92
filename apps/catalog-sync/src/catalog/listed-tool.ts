import { createHash } from 'node:crypto';
import type { WireTool } from '@switchyard/contracts';
import { canonicalJson } from '@switchyard/queue';
import { isStorableName, type ToolContext, toolProblem } from './tool-problem.js';
import { toolWarnings } from './tool-warnings.js';

/** A tool as an upstream listed it, in the form in which the catalog keeps it. */
export type ListedTool = {
  readonly name: string;
  /** `<slug>.<name>`: how people name it; callers use the outward name. */
  readonly qualifiedName: string;
  readonly description: string | null;
  readonly wire: WireTool;
  readonly wireSha256: string;
  /** Why it is kept out of use, or null. */
  readonly problem: string | null;
  /** What an admin should know of its text. */
  readonly warnings: readonly string[];
};

export type Listing = {
  readonly tools: readonly ListedTool[];
  /** Tools that could not even be named: doubles, and names that are no text. */
  readonly dropped: number;
};

/** Judges every tool of a list. The first of two tools with one name wins, as it would for a caller. */
export function judgeList(slug: string, wires: readonly WireTool[], context: ToolContext): Listing {
  const named = new Map<string, WireTool>();
  for (const wire of wires)
    if (isStorableName(wire.name) && !named.has(wire.name)) named.set(wire.name, wire);
  return {
    tools: [...named.values()].map((wire) => judge(slug, wire, context)),
    dropped: wires.length - named.size,
  };
}

function judge(slug: string, given: WireTool, context: ToolContext): ListedTool {
  const problem = toolProblem(given, context);
  // What cannot be used is not kept either: it may be endless, or no text.
  const wire = problem === null ? given : { name: given.name, inputSchema: {} };
  return {
    name: given.name,
    qualifiedName: `${slug}.${given.name}`,
    description: wire.description ?? null,
    wire,
    wireSha256: createHash('sha256').update(canonicalJson(wire)).digest('hex'),
    problem,
    warnings: toolWarnings(wire),
  };
}
