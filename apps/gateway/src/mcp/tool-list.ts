import type { ResolvedTool } from '@switchyard/access';
import type { WireTool } from '@switchyard/contracts';
import { LruMap } from '@switchyard/service-kit';

/** Where a result carries its own JSON text, for the transport that can send it as it is. */
export const resultText = Symbol('result text');

export type ToolList = { readonly tools: WireTool[]; readonly [resultText]?: () => string };

/** The text of each tool, made once and shared by all callers that see it: 5,000 tools are two megabytes. */
const texts = new WeakMap<ResolvedTool, string>();
/** Whole lists, by the array that stays the same while nothing changes for its callers: few, since they are large. */
const lists = new LruMap<readonly ResolvedTool[], string>(16);

/** The result of `tools/list`: every tool in one page. */
export function toolList(tools: readonly ResolvedTool[]): ToolList {
  const result = { tools: tools.map(({ wire }) => wire) };
  // To legacy clients the SDK wraps output schemas that are no objects: those lists it has to write itself.
  if (tools.some(({ wire }) => wire.outputSchema !== undefined && wire.outputSchema['type'] !== 'object'))
    return result;
  return { ...result, [resultText]: () => listText(tools) };
}

function listText(tools: readonly ResolvedTool[]): string {
  const known = lists.get(tools);
  if (known !== undefined) return known;
  const text = `{"tools":[${tools.map(textOf).join(',')}]}`;
  lists.set(tools, text);
  return text;
}

/** The same tools under the same names and with the same wire objects. */
export function isSameList(one: readonly ResolvedTool[], other: readonly ResolvedTool[]): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every((tool, at) => isSameTool(tool, other[at]));
}

function isSameTool(one: ResolvedTool, other: ResolvedTool | undefined): boolean {
  if (one === other) return true;
  if (one.outwardName !== other?.outwardName || one.tool.wireSha256 !== other.tool.wireSha256) return false;
  // A toolset's own words for a tool are not the upstream's to hash.
  return one.wire.description === other.wire.description;
}

function textOf(tool: ResolvedTool): string {
  const known = texts.get(tool);
  if (known !== undefined) return known;
  const text = JSON.stringify(tool.wire);
  texts.set(tool, text);
  return text;
}
