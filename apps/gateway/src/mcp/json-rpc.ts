import type { RequestId } from '@modelcontextprotocol/server';
import { type JsonLimits } from '../edge/json-limits.js';
import { parseJson } from '../edge/parse-json.js';

/** The codes that we send ourselves; what a handler throws is the SDK's to write. */
export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** The SDKs' code for what the transport refuses. */
  transport: -32000,
  sessionNotFound: -32001,
  /** Of the handshake revisions. */
  resourceNotFound: -32002,
  /** Of 2026-07-28. */
  headerMismatch: -32020,
  missingClientCapability: -32021,
} as const;

/** A refusal of a whole POST, with the status it is answered with. */
export type RpcRefusal = {
  readonly httpStatus: number;
  readonly code: number;
  readonly message: string;
  readonly id: RequestId | null;
};

export type ReadBody =
  { readonly ok: true; readonly value: object } | { readonly ok: false; readonly refusal: RpcRefusal };

/** Reads the text of a POST as one JSON-RPC message's frame. Batches left MCP with revision 2025-06-18. */
export function readRpcBody(text: unknown, limits: JsonLimits): ReadBody {
  if (typeof text !== 'string' || text === '')
    return refuse(rpcCodes.parseError, 'Parse error: the body is empty.');
  const parsed = parseJson(text, limits);
  if (!parsed.ok) {
    const code = parsed.syntax ? rpcCodes.parseError : rpcCodes.invalidRequest;
    return refuse(code, `${parsed.syntax ? 'Parse error' : 'Invalid Request'}: ${parsed.problem}`);
  }
  if (Array.isArray(parsed.value)) {
    return refuse(rpcCodes.invalidRequest, 'Invalid Request: JSON-RPC batches are not supported.');
  }
  if (typeof parsed.value !== 'object' || parsed.value === null) {
    return refuse(rpcCodes.invalidRequest, 'Invalid Request: the body is not a JSON-RPC message.');
  }
  return { ok: true, value: parsed.value };
}

/** The JSON text of an error response. */
export function rpcErrorText({ code, message, id }: Omit<RpcRefusal, 'httpStatus'>): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } });
}

function refuse(code: number, message: string): ReadBody {
  return { ok: false, refusal: { httpStatus: 400, code, message, id: null } };
}
