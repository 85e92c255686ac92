import { ProtocolError } from '@modelcontextprotocol/server';
import { errorBody, type ErrorInfo } from '@switchyard/contracts';
import { z } from 'zod';
import { rpcCodes } from './json-rpc.js';
import { legacyUnknownResource } from './legacy-errors.js';
import { undeclaredBy } from './undeclared.js';
import type { CallExchange } from './upstream-call.js';

/** What an upstream's JSON-RPC error left of itself in ours. */
const Upstream = z.looseObject({
  upstream_code: z.number().int(),
  upstream_message: z.string(),
  upstream_data: z.unknown().optional(),
});

/** Codes that speak of the request, and not of the hop between us and the upstream. */
const handedOn = new Set<number>([rpcCodes.invalidParams, rpcCodes.internal]);

/**
 * Why a prompt or a resource was not read. Such results have no `isError`: it is a JSON-RPC error, in the words of the era, with
 * our own object as its data.
 */
export function failureToRpc(error: ErrorInfo, exchange: CallExchange, callId?: string): ProtocolError {
  const { method, name } = exchange.wanted;
  if (isUnknownResource(error, method)) return unknownResource(exchange, error);
  if (error.code === 'not_found')
    return new ProtocolError(rpcCodes.invalidParams, `Unknown ${nounOf(method)}: ${name}`, errorBody(error));
  const upstream = upstreamOf(error);
  if (upstream && isHandedOn(upstream.upstream_code))
    return new ProtocolError(upstream.upstream_code, upstream.upstream_message, upstream.upstream_data);
  const shown = undeclaredBy(error, exchange) ?? error;
  const code = shown.code === 'invalid_request' ? rpcCodes.invalidParams : rpcCodes.internal;
  return new ProtocolError(code, shown.message, errorBody(shown, callId));
}

/** A server that does not know `completion/complete`. */
export function isWithoutCompletion(error: ErrorInfo): boolean {
  return upstreamOf(error)?.upstream_code === rpcCodes.methodNotFound;
}

/** -32002 of the handshake revisions, or the -32602 with a URI that 2026-07-28 has instead. */
function isUnknownResource(error: ErrorInfo, method: string): boolean {
  if (method !== 'resources/read') return false;
  if (error.code === 'not_found') return true;
  const upstream = upstreamOf(error);
  if (upstream?.upstream_code === rpcCodes.resourceNotFound) return true;
  const hasUri = z.looseObject({ uri: z.string() }).safeParse(upstream?.upstream_data).success;
  return upstream?.upstream_code === rpcCodes.invalidParams && hasUri;
}

function unknownResource({ frame, wanted }: CallExchange, error: ErrorInfo): ProtocolError {
  const { next } = errorBody(error);
  const data = { uri: wanted.name, ...(error.code === 'not_found' && { code: error.code, next }) };
  return frame.era === 'legacy'
    ? legacyUnknownResource(data)
    : new ProtocolError(rpcCodes.invalidParams, 'Resource not found', data);
}

function upstreamOf({ code, details }: ErrorInfo) {
  return code === 'upstream_protocol_error' ? Upstream.safeParse(details).data : undefined;
}

/** What a server's own code says, outside of the range that JSON-RPC reserves, its clients know. */
function isHandedOn(code: number): boolean {
  return handedOn.has(code) || code > -32_000 || code < -32_768;
}

function nounOf(method: string): string {
  return method === 'prompts/get' ? 'prompt' : 'prompt or resource template';
}
