import { ToolResult, type UpstreamFailure } from '@switchyard/contracts';
import { protocolFailure } from '../failures/failure.js';
import { isShallow } from './is-shallow.js';

/** Keys of `_meta` that speak of one hop alone: our client to this server. */
const HOP_SCOPED = /^io\.modelcontextprotocol\/|^progressToken$/;

/**
 * A result as it came over the wire, less what belongs to the hop: `resultType`, and the `_meta` keys of the protocol.
 * Nothing is added, dropped or reordered besides.
 */
export function readToolResult(raw: unknown): { result: ToolResult } | { failure: UpstreamFailure } {
  if (!ToolResult.safeParse(raw).success) {
    return { failure: protocolFailure(undefined, 'the result is not a tool result') };
  }
  if (!isShallow(raw)) return { failure: protocolFailure(undefined, 'the result is nested too deeply') };
  const { resultType, ...rest } = raw as Record<string, unknown>;
  if (resultType === 'input_required') {
    return { failure: protocolFailure(undefined, 'the tool asks for input that nobody here can give') };
  }
  if (resultType !== undefined && resultType !== 'complete') {
    return { failure: protocolFailure(undefined, 'the result is of an unknown type') };
  }
  const meta = withoutHopKeys(rest['_meta']);
  if (meta === rest['_meta']) return { result: rest as ToolResult };
  if (meta) return { result: { ...rest, _meta: meta } as ToolResult };
  delete rest['_meta'];
  return { result: rest as ToolResult };
}

/** `_meta` less the hop's keys; `undefined` where nothing is left. */
export function withoutHopKeys(meta: unknown): Record<string, unknown> | undefined {
  if (typeof meta !== 'object' || meta === null) return undefined;
  const kept = Object.entries(meta).filter(([name]) => !HOP_SCOPED.test(name));
  if (kept.length === Object.keys(meta).length) return meta as Record<string, unknown>;
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
