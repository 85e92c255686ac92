import { ToolResult, type UpstreamFailure, type UpstreamMethod } from '@switchyard/contracts';
import { protocolFailure } from '../failures/failure.js';
import { isShallow } from './is-shallow.js';

/** Keys of `_meta` that speak of one hop alone, our client to this server, and our own, which are nobody else's to set. */
const HOP_SCOPED = /^io\.(modelcontextprotocol|switchyard)\/|^progressToken$/;

type Raw = Record<string, unknown>;

/** The frame of each method's result; the rest is the caller's to judge. */
const hasFrame: Record<UpstreamMethod, (raw: Raw) => boolean> = {
  'tools/call': () => true,
  'prompts/get': ({ messages }) => Array.isArray(messages),
  'resources/read': ({ contents }) => Array.isArray(contents),
  'completion/complete': ({ completion }) => typeof completion === 'object' && completion !== null,
};

/**
 * A result as it came over the wire, less what belongs to the hop: `resultType`, and the `_meta` keys of the protocol.
 * Nothing is added, dropped or reordered besides. A result that asks for input keeps its type, by which it is known.
 */
export function readResult(
  method: UpstreamMethod,
  raw: unknown,
): { result: ToolResult } | { failure: UpstreamFailure } {
  if (!ToolResult.safeParse(raw).success) return fault(method, 'is not what MCP prescribes');
  if (!isShallow(raw)) return fault(method, 'is nested too deeply');
  const { resultType, ...rest } = raw as Raw;
  if (resultType === 'input_required') return readInputRequired(method, rest);
  if (resultType !== undefined && resultType !== 'complete') return fault(method, 'is of an unknown type');
  if (!hasFrame[method](rest)) return fault(method, 'is not what MCP prescribes');
  return { result: withoutHopMeta(rest) };
}

/** The MCP methods whose results may ask for input (2026-07-28, multi round-trip requests). */
function readInputRequired(method: UpstreamMethod, rest: Raw): ReturnType<typeof readResult> {
  const { inputRequests, requestState } = rest;
  const asks = typeof inputRequests === 'object' && inputRequests !== null && !Array.isArray(inputRequests);
  const isFramed =
    (asks || (inputRequests === undefined && requestState !== undefined)) &&
    (requestState === undefined || typeof requestState === 'string');
  if (method === 'completion/complete' || !isFramed)
    return fault(method, 'asks for input in a way that MCP does not know');
  return { result: { resultType: 'input_required', ...withoutHopMeta(rest) } };
}

function fault(method: UpstreamMethod, what: string): { failure: UpstreamFailure } {
  return { failure: protocolFailure(undefined, `the result of ${method} ${what}`) };
}

function withoutHopMeta(rest: Raw): Raw {
  const meta = withoutHopKeys(rest['_meta']);
  if (meta === rest['_meta']) return rest;
  if (meta) return { ...rest, _meta: meta };
  const { _meta: _dropped, ...kept } = rest;
  return kept;
}

/** `_meta` less the hop's keys; `undefined` where nothing is left. */
export function withoutHopKeys(meta: unknown): Record<string, unknown> | undefined {
  if (typeof meta !== 'object' || meta === null) return undefined;
  const kept = Object.entries(meta).filter(([name]) => !HOP_SCOPED.test(name));
  if (kept.length === Object.keys(meta).length) return meta as Record<string, unknown>;
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
