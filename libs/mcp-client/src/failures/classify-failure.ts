import { isNativeError } from 'node:util/types';
import { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } from '@modelcontextprotocol/client';
import { PlatformError, type ErrorCode, type UpstreamFailure } from '@switchyard/contracts';
import { classifyStatus, type AnsweredStatus } from './classify-status.js';
import { failure, protocolFailure } from './failure.js';
import { networkReason } from './network-reason.js';

/** What was seen of a request apart from the error that it ended with. */
export type RequestFacts = {
  /** Whether the request's first byte may have left us. */
  requestSent: boolean;
  /** The HTTP answer, if one came. */
  response?: AnsweredStatus;
  /** Whether whoever asked gave up. */
  cancelled?: boolean;
};

/**
 * How far a failed request came, and what it means. Pure. Where it cannot be told whether the upstream acted, the
 * answer is `sent_no_answer`: a side effect must never happen twice because of a guess.
 */
export function classifyFailure(thrown: unknown, facts: RequestFacts): UpstreamFailure {
  const chain = causes(thrown);
  const platform = chain.find((error) => error instanceof PlatformError);
  if (platform) return classifyOwn(platform, facts);
  if (facts.cancelled) return lost('cancelled', facts);
  const protocol = chain.find((error) => error instanceof ProtocolError);
  if (protocol) return protocolFailure(protocol.code, protocol.message, protocol.data);
  const status = facts.response && facts.response.status >= 300 ? facts.response : statusOf(chain, facts);
  if (status) return classifyStatus(status);
  return (
    classifySdk(chain.find((error) => error instanceof SdkError)?.code, facts) ??
    classifyNetwork(chain, facts)
  );
}

const NEVER_LEFT_US = new Set<ErrorCode>(['egress_denied', 'stdio_not_allowed', 'invalid_request']);

function classifyOwn(error: PlatformError, facts: RequestFacts): UpstreamFailure {
  if (NEVER_LEFT_US.has(error.code)) return { failureClass: 'not_sent', error: error.toInfo() };
  if (error.code === 'result_too_large') return { failureClass: 'answered', error: error.toInfo() };
  return { failureClass: facts.requestSent ? 'sent_no_answer' : 'not_sent', error: error.toInfo() };
}

function statusOf(chain: Error[], facts: RequestFacts): AnsweredStatus | undefined {
  const http = chain.find((error) => error instanceof SdkHttpError);
  if (!http) return undefined;
  const { text } = http.data as { text?: unknown };
  return {
    status: http.status,
    hadSession: facts.response?.hadSession ?? false,
    body: typeof text === 'string' ? text : undefined,
  };
}

function classifySdk(code: string | undefined, facts: RequestFacts): UpstreamFailure | undefined {
  switch (code) {
    case SdkErrorCode.RequestTimeout:
      return lost('deadline_exceeded', facts);
    case SdkErrorCode.ConnectionClosed:
    case SdkErrorCode.NotConnected:
      return lost('upstream_unreachable', facts, { reason: 'connection_lost' });
    case SdkErrorCode.InvalidResult:
    case SdkErrorCode.UnsupportedResultType:
    case SdkErrorCode.ClientHttpUnexpectedContent:
    case SdkErrorCode.CapabilityNotSupported:
    case SdkErrorCode.MethodNotSupportedByProtocolVersion:
      return protocolFailure(undefined, 'the answer is not what MCP prescribes');
    default:
      return undefined;
  }
}

function classifyNetwork(chain: Error[], facts: RequestFacts): UpstreamFailure {
  const reason = networkReason(chain);
  if (reason === 'timeout') return lost('deadline_exceeded', facts);
  if (reason) return lost('upstream_unreachable', facts, { reason });
  // An answer came, and reading it failed: JSON that is none, a message that is not JSON-RPC.
  if (facts.response) return protocolFailure(undefined, 'the answer is not valid JSON-RPC');
  return lost('upstream_unreachable', facts, {
    reason: facts.requestSent ? 'connection_lost' : 'unreachable',
  });
}

function lost(code: ErrorCode, facts: RequestFacts, details?: Record<string, unknown>): UpstreamFailure {
  return failure(facts.requestSent ? 'sent_no_answer' : 'not_sent', code, details);
}

/** The error, its causes and the members of aggregates, outermost first. */
export function causes(thrown: unknown): Error[] {
  const found: Error[] = [];
  const visit = (value: unknown): void => {
    if (!isNativeError(value) || found.includes(value) || found.length > 20) return;
    found.push(value);
    visit(value.cause);
    const { errors } = value as { errors?: unknown };
    if (Array.isArray(errors)) errors.forEach(visit);
  };
  visit(thrown);
  return found;
}
