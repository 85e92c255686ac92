import { type ErrorCode, PlatformError } from '@switchyard/contracts';
import { APICallError, RetryError } from 'ai';
import type { ConfiguredModel } from '../settings/create-model.js';

/** An answer that no provider should give. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';

  constructor(readonly what: 'broken_off' | 'too_long' | 'tool_calls') {
    super(what);
  }
}

const mostReason = 300;
const tooLong =
  /context[_ ]length|context[_ ]window|maximum context|prompt is too long|too many tokens|input (?:is )?too long|exceeds? the .*(?:context|token)/i;
const noCredit = /insufficient_quota|credit balance|billing|payment required/i;
const wrongAnswers = new Set([
  'AI_JSONParseError',
  'AI_TypeValidationError',
  'AI_InvalidResponseDataError',
  'AI_EmptyResponseBodyError',
  'AI_NoContentGeneratedError',
  'AI_NoOutputGeneratedError',
  'AI_InvalidStreamPartError',
]);

/**
 * What a provider's package threw, as an error of ours. The provider's words go along without the key; the request
 * does not, for it holds the conversation.
 */
export function toModelError(thrown: unknown, { settings, redact }: ConfiguredModel): PlatformError {
  const ours = chainOf(thrown).find((error) => error instanceof PlatformError);
  if (ours?.code === 'egress_denied') return ours;
  const call = chainOf(thrown).find((error) => APICallError.isInstance(error));
  const reason = redact(withoutKeys(messageOf(call ?? thrown))).slice(0, mostReason);
  return new PlatformError(codeOf(thrown, call), {
    details: {
      provider: settings.provider,
      model: settings.model,
      ...(call?.statusCode !== undefined && { status: call.statusCode }),
      ...(call?.statusCode !== undefined && { reason }),
    },
    retryAfterMs: retryAfterMs(call?.responseHeaders),
    cause: new Error(`${nameOf(thrown)}: ${reason}`),
  });
}

function codeOf(thrown: unknown, call: APICallError | undefined): ErrorCode {
  if (thrown instanceof ProtocolViolation)
    return thrown.what === 'broken_off' ? 'model_unavailable' : 'model_protocol_error';
  if (chainOf(thrown).some((error) => error instanceof PlatformError)) return 'model_protocol_error';
  // A 2xx whose body broke off is thrown as a refusal too.
  if (call?.statusCode !== undefined && call.statusCode >= 300)
    return codeOfStatus(call.statusCode, said(call));
  return chainOf(thrown).some((error) => wrongAnswers.has(nameOf(error)))
    ? 'model_protocol_error'
    : 'model_unavailable';
}

/** What a refusal means: the first row that fits. Words come before statuses that several refusals share. */
const refusals: readonly (readonly [(status: number, words: string) => boolean, ErrorCode])[] = [
  [(status) => status < 400, 'model_protocol_error'],
  [(status, words) => [401, 402, 403].includes(status) || noCredit.test(words), 'model_denied'],
  [(status) => status === 429, 'model_rate_limited'],
  [(status, words) => status === 413 || (status < 500 && tooLong.test(words)), 'model_context_too_long'],
  [(status) => status === 408 || status === 409 || status >= 500, 'model_unavailable'],
];

function codeOfStatus(status: number, words: string): ErrorCode {
  return refusals.find(([fits]) => fits(status, words))?.[1] ?? 'model_rejected';
}

function said(call: APICallError): string {
  return `${call.message} ${call.responseBody?.slice(0, 2_000) ?? ''}`;
}

/** A thrown value and its causes, outermost first. */
function chainOf(thrown: unknown): unknown[] {
  const chain: unknown[] = [];
  for (let error = thrown; error instanceof Error && chain.length < 8; error = inner(error))
    chain.push(error);
  return chain.length > 0 ? chain : [thrown];
}

function inner(error: Error): unknown {
  return RetryError.isInstance(error) ? error.lastError : error.cause;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'thrown value';
}

/** Errors of a stream may be bare objects or texts. */
function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === 'string' ? error : (JSON.stringify(error) ?? 'no reason given');
}

/** Providers repeat parts of a key that they refuse. */
function withoutKeys(text: string): string {
  return text.replaceAll(/\b(?:sk|pk|key)[-_][\w*.-]{4,}/gi, '[redacted]');
}

function retryAfterMs(headers: Record<string, string> | undefined): number | undefined {
  const exact = Number.parseFloat(headers?.['retry-after-ms'] ?? '');
  if (exact >= 0) return Math.ceil(exact);
  const text = headers?.['retry-after'];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(text) - Date.now();
  return ms >= 0 ? Math.ceil(ms) : undefined;
}
