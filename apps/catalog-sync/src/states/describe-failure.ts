import type { ErrorInfo } from '@switchyard/contracts';
import type { Failure } from './failure.js';

const maximumLength = 512;
const redacted = '[redacted]';
/** A vendor's authorization server that is away says nothing about its MCP server either. */
const ourCodes = new Set([
  'authorization_server_unavailable',
  'queue_unavailable',
  'dependency_unavailable',
  'internal',
  'cancelled',
]);

/** IPv4 with or without port, and anything with two colons between hex groups. */
const addresses =
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\[?\b[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}\]?(?::\d+)?/gi;
const urls = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi;

/** What the failure happened to, and what its text must not repeat. */
export type FailureContext = { readonly stage: Failure['stage']; readonly secrets: readonly string[] };

/**
 * A failure with the catalog's text, the reason, and what the upstream said of it. An upstream may say anything: its
 * text is cut, and loses our credentials and every address in it (the admin knows the one that they configured).
 */
export function describeFailure(error: ErrorInfo, context: FailureContext): Failure {
  const { upstream_status: status } = error.details ?? {};
  const isOurs =
    ourCodes.has(error.code) || (context.stage === 'lease' && error.code === 'deadline_exceeded');
  return {
    stage: context.stage,
    code: error.code,
    message: [error.message, ...particulars(error, context.secrets)].join(' ').slice(0, maximumLength),
    needsReauth: error.code === 'needs_reauth' || (error.code === 'upstream_denied' && status === 401),
    isOurs,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
  };
}

function particulars({ details = {} }: ErrorInfo, secrets: readonly string[]): string[] {
  const { reason, upstream_status: status, upstream_message: said } = details;
  const facts = [
    ...(typeof reason === 'string' ? [reason.replaceAll('_', ' ')] : []),
    ...(typeof status === 'number' ? [`HTTP ${status}`] : []),
  ];
  return [
    ...(facts.length > 0 ? [`(${facts.join(', ')})`] : []),
    ...(typeof said === 'string' && said.trim() !== '' ? [`It said: ${clean(said, secrets)}`] : []),
  ];
}

function clean(text: string, secrets: readonly string[]): string {
  const hidden = secrets
    .flatMap((secret) => [secret, ...secret.split(/\s+/)])
    .filter((secret) => secret.length >= 4)
    .sort((a, b) => b.length - a.length)
    .reduce((rest, secret) => rest.replaceAll(secret, redacted), text);
  return hidden
    .replace(urls, '[url]')
    .replace(addresses, '[address]')
    .replace(/\p{Cc}+/gu, ' ')
    .toWellFormed();
}
