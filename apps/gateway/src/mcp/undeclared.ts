import { MissingRequiredClientCapabilityError } from '@modelcontextprotocol/server';
import { type ErrorInfo, PlatformError } from '@switchyard/contracts';
import { z } from 'zod';
import { rpcCodes } from './json-rpc.js';
import { declaredIn } from './modern-call.js';
import type { CallExchange } from './upstream-call.js';

const Undeclared = z.looseObject({
  upstream_code: z.literal(rpcCodes.missingClientCapability),
  upstream_data: z.looseObject({ requiredCapabilities: z.record(z.string(), z.unknown()) }),
});

/**
 * What an upstream misses of the client that the client has not declared. For clients of 2026-07-28 the error is thrown: that revision has one of its own.
 */
export function undeclaredBy(
  { details }: ErrorInfo,
  { context, frame }: Pick<CallExchange, 'context' | 'frame'>,
): ErrorInfo | undefined {
  const data = Undeclared.safeParse(details).data?.upstream_data;
  if (!data) return undefined;
  const given = frame.era === 'modern' ? declaredIn({ context }) : frame.session?.capabilities;
  const declared = Object.keys((given as object | undefined) ?? {});
  if (Object.keys(data.requiredCapabilities).every((name) => declared.includes(name))) return undefined;
  if (frame.era === 'modern') throw new MissingRequiredClientCapabilityError(data as never);
  const required = data.requiredCapabilities;
  return new PlatformError('client_capability_missing', {
    details: { required_capabilities: required },
  }).toInfo();
}
