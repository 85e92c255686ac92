import { type ErrorCode, PlatformError } from '@switchyard/contracts';
import { APICallError, RetryError, StreamProviderError } from 'ai';
import type { ConfiguredModel } from '../settings/create-model.js';

/** An answer that no provider should give. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';

  constructor(readonly what: 'broken_off' | 'too_long' | 'tool_calls') {
    super(what);
  }
}

const mostReason = 300;
/** Of what a provider says, however long it is, more is not even looked at. */
const mostRead = 2_000;
const tooLong =
  /context[_ ]length|context[_ ]window|maximum context|prompt is too long|too many tokens|input (?:is )?too long|exceeds? the .{0,200}(?:context|token)/i;
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

/** What a provider said instead of answering, by a status or, once an answer had begun, by an event. */
type Refused = {
  readonly status: number;
  readonly message: string;
  readonly words: string;
  readonly headers?: Record<string, string>;
};

/**
 * What a provider's package threw, as an error of ours. The provider's words go along without the key; the request
 * does not, for it holds the conversation.
 */
export function toModelError(thrown: unknown, { settings, redact }: ConfiguredModel): PlatformError {
  const chain = chainOf(thrown);
  const denied = chain.find((error) => error instanceof PlatformError && error.code === 'egress_denied');
  if (denied instanceof PlatformError) return denied;
  const refused = chain.map(toRefused).find((found) => found !== undefined);
  // The key goes while it is whole: a cut could leave half of it.
  const said = read(redact(refused?.message ?? messageOf(thrown)));
  const reason = withoutKeys(said).slice(0, mostReason);
  return new PlatformError(codeOf(chain, refused), {
    details: {
      provider: settings.provider,
      model: settings.model,
      ...(refused && { status: refused.status, reason }),
    },
    retryAfterMs: retryAfterMs(refused?.headers),
    cause: new Error(`${nameOf(thrown)}: ${reason}`),
  });
}

function codeOf(chain: readonly unknown[], refused: Refused | undefined): ErrorCode {
  const [thrown] = chain;
  if (thrown instanceof ProtocolViolation)
    return thrown.what === 'broken_off' ? 'model_unavailable' : 'model_protocol_error';
  if (refused) return codeOfStatus(refused);
  // An answer beyond the limit of the egress policy is one of these.
  const isWrong = chain.some((error) => error instanceof PlatformError || wrongAnswers.has(nameOf(error)));
  return isWrong ? 'model_protocol_error' : 'model_unavailable';
}

/** What a refusal means: the first row that fits. Words come before statuses that several refusals share. */
const refusals: readonly (readonly [(status: number, words: string) => boolean, ErrorCode])[] = [
  [(status) => status < 400, 'model_protocol_error'],
  [(status, words) => [401, 402, 403].includes(status) || noCredit.test(words), 'model_denied'],
  [(status) => status === 429, 'model_rate_limited'],
  [(status, words) => status === 413 || (status < 500 && tooLong.test(words)), 'model_context_too_long'],
  [(status) => status === 408 || status === 409 || status >= 500, 'model_unavailable'],
];

function codeOfStatus({ status, words }: Refused): ErrorCode {
  return refusals.find(([fits]) => fits(status, words))?.[1] ?? 'model_rejected';
}

/** Statuses of what OpenAI and Anthropic call their errors, for those that come as events of a stream. */
const statusOfType: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  tokens: 429,
  requests: 429,
};

function toRefused(error: unknown): Refused | undefined {
  if (StreamProviderError.isInstance(error)) return saidInStream(error);
  // A 2xx whose body broke off is thrown as a refusal too.
  if (!APICallError.isInstance(error) || error.statusCode === undefined || error.statusCode < 300)
    return undefined;
  const { statusCode, message, responseBody = '', responseHeaders } = error;
  const words = `${read(message)} ${read(responseBody)}`;
  return { status: statusCode, message, words, headers: responseHeaders };
}

function saidInStream({ message, type = '', code = '', statusCode }: StreamProviderError): Refused {
  const status = statusCode ?? statusOfType[type] ?? statusOfType[code] ?? 500;
  return { status, message, words: read(`${type} ${code} ${message}`) };
}

function read(text: string): string {
  return text.slice(0, mostRead);
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
