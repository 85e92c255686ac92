import {
  explainMissing,
  findTool,
  outwardName,
  type RequestFilter,
  type ResolvedTool,
  resolveTools,
  type Snapshot,
  slugOf,
} from '@switchyard/access';
import { type CallerContext, type ErrorInfo, PlatformError } from '@switchyard/contracts';

/** A tool that is named by `<integration id or slug>:<tool>`, or by its outward name, which holds no colon. */
export type ToolReference =
  { readonly name: string } | { readonly source: string; readonly tool: string; readonly text: string };

export function readToolId(toolId: string): ToolReference {
  const colon = toolId.indexOf(':');
  if (colon < 0) return { name: toolId };
  return { source: toolId.slice(0, colon), tool: toolId.slice(colon + 1), text: toolId };
}

type Asking = {
  readonly snapshot: Snapshot;
  readonly caller: CallerContext;
  readonly filter: RequestFilter | undefined;
};

/**
 * The outward name of the tool that is meant, looked for among the caller's own tools alone; or why there is none.
 * An id never leads to another integration of the same slug.
 */
export function findByToolId(
  { snapshot, caller, filter }: Asking,
  reference: ToolReference,
): string | ErrorInfo {
  if ('name' in reference) return reference.name;
  const slug = slugOf(reference.source);
  const isMeant = ({ integration, tool }: ResolvedTool) =>
    tool.name === reference.tool && (integration.id === reference.source || integration.slug === slug);
  const found = resolveTools(snapshot, caller, filter).find(isMeant);
  return found?.outwardName ?? explain({ snapshot, caller, filter }, reference, slug);
}

function explain(
  { snapshot, caller }: Asking,
  { source, tool }: { source: string; tool: string },
  slug: string,
): ErrorInfo {
  const known = snapshot.integrations.get(source);
  const name = outwardName(known?.slug ?? slug, tool);
  const missing = explainMissing(snapshot, caller, name);
  const isOther = known && 'integrationId' in missing && missing.integrationId !== known.id;
  if (missing.code === 'tool_not_found' || isOther || findTool(snapshot, caller, name))
    return new PlatformError('tool_not_found').toInfo();
  return new PlatformError(missing.code, { details: { integration: missing.slug } }).toInfo();
}
