import type { ResolvedTool } from '@switchyard/access';

/** A tool as chat backends get it. */
export type ToolManifest = {
  /** `<integration id>:<tool>`, which stays when the integration is renamed; a call takes the name too. */
  readonly tool_id: string;
  /** For the model: letters, digits, `_` and `-`, at most 64. */
  readonly name: string;
  readonly title: string | null;
  readonly description: string;
  readonly input_schema: unknown;
  readonly output_schema: unknown;
  readonly annotations: Readonly<Record<string, unknown>>;
  readonly source_id: string;
  /** The integration's slug. */
  readonly source: string;
  readonly tags: readonly string[];
  /** Changes with every change of the tool at its server. */
  readonly version: string;
};

const hints = [
  ['readOnlyHint', 'read-only'],
  ['destructiveHint', 'destructive'],
  ['idempotentHint', 'idempotent'],
  ['openWorldHint', 'open-world'],
] as const;

/** The manifest of a tool. Its tags are what the vendor hints at: claims, not facts. */
export function toolManifest({ integration, tool, outwardName, wire }: ResolvedTool): ToolManifest {
  const annotations = (wire['annotations'] ?? {}) as Record<string, unknown>;
  return {
    tool_id: `${integration.id}:${tool.name}`,
    name: outwardName,
    title: textOf(wire['title']) ?? textOf(annotations['title']),
    description: textOf(wire['description']) ?? '',
    input_schema: wire.inputSchema,
    output_schema: wire.outputSchema ?? null,
    annotations,
    source_id: integration.id,
    source: integration.slug,
    tags: hints.filter(([hint]) => annotations[hint] === true).map(([, tag]) => tag),
    version: tool.wireSha256,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
