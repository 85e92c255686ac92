import { type Result } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { withoutHopMeta } from '../tool-calls/outcome-to-mcp.js';
import type { CallTarget } from '../tool-calls/prepared-call.js';
import { callUpstream } from './call-upstream.js';
import { failureToRpc, isWithoutCompletion } from './failure-to-rpc.js';
import { withOutwardUris } from './outward-uris.js';
import { parseParams } from './parse-params.js';
import { type CallExchange, type CallParts, errorOf, type Wanted } from './upstream-call.js';

const meta = z.record(z.string(), z.unknown()).optional();
const GetPromptParams = z.looseObject({
  name: z.string().min(1),
  arguments: z.record(z.string(), z.string()).optional(),
  _meta: meta,
});
const ReadResourceParams = z.looseObject({ uri: z.string().min(1).max(8_192), _meta: meta });
const CompleteParams = z.looseObject({
  ref: z.discriminatedUnion('type', [
    z.looseObject({ type: z.literal('ref/prompt'), name: z.string().min(1) }),
    z.looseObject({ type: z.literal('ref/resource'), uri: z.string().min(1).max(8_192) }),
  ]),
  argument: z.looseObject({ name: z.string(), value: z.string() }),
  context: z.looseObject({ arguments: z.record(z.string(), z.string()).optional() }).optional(),
  _meta: meta,
});

/** A request for a prompt or a resource as it came. */
export type ReadExchange = Omit<CallExchange, 'wanted'> & {
  readonly params: unknown;
  readonly outward: (target: CallTarget) => (uri: string) => string;
};

/** `prompts/get` of both eras. */
export function getPrompt(parts: CallParts, exchange: ReadExchange): Promise<Result> {
  const parsed = parseParams('prompts/get', GetPromptParams, exchange.params);
  const { name, arguments: args = {}, _meta } = parsed;
  return read(parts, exchange, { method: 'prompts/get', name, arguments: args, meta: _meta });
}

/** `resources/read` of both eras. What one caller reads is no other's to be shown from a cache. */
export async function readResource(parts: CallParts, exchange: ReadExchange): Promise<Result> {
  const { uri, _meta } = parseParams('resources/read', ReadResourceParams, exchange.params);
  const result = await read(parts, exchange, {
    ...{ method: 'resources/read', name: uri, arguments: {} },
    meta: _meta,
  });
  const { cacheScope, ttlMs, ...rest } = result;
  if (exchange.frame.era === 'legacy' || cacheScope === undefined) return rest;
  return { ...rest, ttlMs, cacheScope: 'private' };
}

/** `completion/complete` of both eras. A server that completes nothing has nothing to propose. */
export async function complete(parts: CallParts, exchange: ReadExchange): Promise<Result> {
  const parsed = parseParams('completion/complete', CompleteParams, exchange.params);
  const { ref, argument, context, _meta } = parsed;
  const name = ref.type === 'ref/prompt' ? ref.name : ref.uri;
  const args = { ref, argument, ...(context && { context }) };
  const wanted = { method: 'completion/complete', name, arguments: args, meta: _meta } as const;
  const end = await callUpstream(parts, { ...exchange, wanted });
  const error = end.kind === 'input_required' ? undefined : errorOf(end);
  if (error && isWithoutCompletion(error)) return { completion: { values: [], total: 0, hasMore: false } };
  return finish(end, { ...exchange, wanted });
}

async function read(parts: CallParts, exchange: ReadExchange, wanted: Wanted): Promise<Result> {
  return finish(await callUpstream(parts, { ...exchange, wanted }), { ...exchange, wanted });
}

function finish(
  end: Awaited<ReturnType<typeof callUpstream>>,
  exchange: CallExchange & Pick<ReadExchange, 'outward'>,
): Result {
  if (end.kind === 'input_required') return { ...end.result };
  if (end.kind === 'refused') throw failureToRpc(end.error, exchange);
  const { outcome, tool } = end;
  if (outcome.status !== 'completed') throw failureToRpc(outcome.error, exchange, outcome.callId);
  return withOutwardUris(withoutHopMeta(outcome.result), exchange.outward(tool));
}
