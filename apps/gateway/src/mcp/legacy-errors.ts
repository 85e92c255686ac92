import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { ProtocolError } from '@modelcontextprotocol/server';
import { rpcCodes } from './json-rpc.js';

/** The data of errors that mean an unknown resource. */
const unknownResources = new WeakSet<object>();

/** The error of the handshake revisions for a resource that is not there. */
export function legacyUnknownResource(data: { readonly uri: string }): ProtocolError {
  unknownResources.add(data);
  return new ProtocolError(rpcCodes.resourceNotFound, 'Resource not found', data);
}

/** A message to a legacy client. The SDK sends the code of 2026-07-28 to clients of all revisions; these have -32002. */
export function withLegacyCode(message: JSONRPCMessage): JSONRPCMessage {
  if (!('error' in message)) return message;
  const { data } = message.error;
  const isMeant = typeof data === 'object' && data !== null && unknownResources.has(data);
  return isMeant ? { ...message, error: { ...message.error, code: rpcCodes.resourceNotFound } } : message;
}
