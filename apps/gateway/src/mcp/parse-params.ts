import { ProtocolError } from '@modelcontextprotocol/server';
import { errorBody, PlatformError } from '@switchyard/contracts';
import type { z } from 'zod';
import { rpcCodes } from './json-rpc.js';

/** The parameters of a request; throws -32602 with what is wrong with them. */
export function parseParams<S extends z.ZodType>(method: string, schema: S, params: unknown): z.output<S> {
  const parsed = schema.safeParse(params ?? {});
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues
    .slice(0, 5)
    .map(({ path, message }) => ({ path: path.join('.'), message }));
  const info = new PlatformError('invalid_request', { details: { errors } }).toInfo();
  const text = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new ProtocolError(rpcCodes.invalidParams, `Invalid params for ${method}: ${text}`, errorBody(info));
}
