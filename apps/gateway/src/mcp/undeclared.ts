import { MissingRequiredClientCapabilityError } from '@modelcontextprotocol/server';
import { type ErrorInfo, PlatformError } from '@switchyard/contracts';
import { z } from 'zod';
import { opensUrls, upstreamPagesOf } from './ask-to-connect.js';
import { missingCapability } from './client-side.js';
import { rpcCodes } from './json-rpc.js';
import { declaredIn } from './modern-call.js';
import type { CallExchange } from './upstream-call.js';

const Undeclared = z.looseObject({
  upstream_code: z.literal(rpcCodes.missingClientCapability),
  upstream_data: z.looseObject({ requiredCapabilities: z.record(z.string(), z.unknown()) }),
});

/** What a worker says that it found missing: the capabilities, or what it could not ask. */
const Missing = z.looseObject({
  required_capabilities: z.record(z.string(), z.unknown()).optional(),
  methods: z.array(z.string()).optional(),
});

/**
 * What an upstream misses of the client that the client has not declared. For clients of 2026-07-28 the error is thrown:
 * that revision has one of its own.
 */
export function undeclaredBy(
  error: ErrorInfo,
  exchange: Pick<CallExchange, 'context' | 'frame'>,
): ErrorInfo | undefined {
  const required =
    error.code === 'client_capability_missing'
      ? foundMissing(error)
      : (saidMissing(error, exchange) ?? cannotOpen(error, exchange));
  if (!required) return undefined;
  if (exchange.frame.era === 'modern')
    throw new MissingRequiredClientCapabilityError({ requiredCapabilities: required });
  const details = { required_capabilities: required };
  return new PlatformError('client_capability_missing', { details }).toInfo();
}

function foundMissing({ details }: ErrorInfo): Record<string, unknown> {
  const { required_capabilities: required, methods = [] } = Missing.safeParse(details).data ?? {};
  return required ?? Object.assign({}, ...methods.map((method) => missingCapability({ method }, undefined)));
}

/** By the error of 2026-07-28: an upstream says it of us, and it may be our own fault. */
function saidMissing(
  { details }: ErrorInfo,
  exchange: Pick<CallExchange, 'context' | 'frame'>,
): Record<string, unknown> | undefined {
  const data = Undeclared.safeParse(details).data?.upstream_data;
  if (!data) return undefined;
  const declared = Object.keys((declaredBy(exchange) as object | undefined) ?? {});
  const isOurs = Object.keys(data.requiredCapabilities).every((name) => declared.includes(name));
  return isOurs ? undefined : data.requiredCapabilities;
}

/** Before 2026-07-28 an upstream may refuse a call until its user has opened a page, which not every client can show. */
function cannotOpen(
  error: ErrorInfo,
  exchange: Pick<CallExchange, 'context' | 'frame'>,
): Record<string, unknown> | undefined {
  const isAsked = upstreamPagesOf(error).length > 0;
  return isAsked && !opensUrls(declaredBy(exchange)) ? { elicitation: { url: {} } } : undefined;
}

function declaredBy({ context, frame }: Pick<CallExchange, 'context' | 'frame'>): unknown {
  return frame.era === 'modern' ? declaredIn({ context }) : frame.session?.capabilities;
}
