import { retryAfterMs } from '../failures/classify-status.js';
import { scopesOf } from '../failures/bearer-challenge.js';
import { ownWords } from './own-words.js';
import type { Refused, RefusedError, TokenOutcome, Unavailable } from './tokens.js';

/** What vendors say in place of the names of RFC 6749, section 5.2. */
const ERRORS: Record<string, RefusedError> = {
  invalid_grant: 'invalid_grant',
  bad_refresh_token: 'invalid_grant',
  bad_verification_code: 'invalid_grant',
  invalid_client: 'invalid_client',
  incorrect_client_credentials: 'invalid_client',
  invalid_scope: 'invalid_scope',
  unauthorized_client: 'unauthorized_client',
};
/** Errors that say nothing of the credential, whatever the status. */
const PASSING = new Set(['temporarily_unavailable', 'server_error', 'slow_down', 'rate_limit_exceeded']);
const PASSING_STATUSES = new Set([408, 425, 429]);
const MAX_TOKEN = 64 * 1024;

/** What was sent, to be kept out of every description. */
export type Sent = { secrets: readonly (string | null)[] };

/** An answer that is not 2xx, or is an error inside one. undefined: it is neither. */
export function refusalOf(
  response: Response,
  body: Record<string, unknown> | undefined,
  sent: Sent,
  now: number,
): Refused | Unavailable | undefined {
  const code = typeof body?.['error'] === 'string' ? body['error'] : undefined;
  if (response.ok && code === undefined) return undefined;
  const { status, headers } = response;
  if (saysNothing(status, code))
    return unavailable(`http_${status}`, retryAfterMs(headers.get('retry-after'), now));
  // A redirect was not followed. Nobody judged the credential.
  if (status >= 300 && status < 400) return unavailable('redirect_refused');
  const words = [code ?? `HTTP ${status}`, body?.['error_description']].filter(
    (one) => typeof one === 'string',
  );
  return {
    status: 'refused',
    error: errorOf(status, code),
    description: ownWords(words.join(': '), sent.secrets),
  };
}

function saysNothing(status: number, code = ''): boolean {
  return status >= 500 || PASSING_STATUSES.has(status) || PASSING.has(code);
}

function errorOf(status: number, code: string | undefined): RefusedError {
  if (code === undefined) return status === 401 ? 'invalid_client' : 'other';
  return ERRORS[code] ?? 'other';
}

/** What a token endpoint's answer means. Never throws. `now` in epoch ms. */
export async function readTokenResponse(response: Response, sent: Sent, now: number): Promise<TokenOutcome> {
  const body = parsed(await response.text());
  const refusal = refusalOf(response, body, sent, now);
  if (refusal) return refusal;
  const { access_token: accessToken, token_type: type, refresh_token: refreshToken } = body ?? {};
  // A page of some proxy, most likely: it tells nothing of the credential.
  if (!isToken(accessToken)) return unavailable('answer_invalid');
  if (type !== undefined && !/^(bearer|n_a)$/i.test(String(type)))
    return { status: 'refused', error: 'other', description: 'the token is not a bearer token' };
  return {
    status: 'ok',
    tokens: {
      accessToken,
      refreshToken: isToken(refreshToken) ? refreshToken : null,
      expiresAt: expiryOf(body?.['expires_in'], now),
      scopes: scopesOf(body?.['scope']),
    },
  };
}

export function unavailable(reason: string, retryAfterMs?: number): Unavailable {
  return { status: 'unavailable', reason, retryAfterMs: retryAfterMs ?? null };
}

export function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A token goes into a header: what cannot stand there is none (RFC 6750, section 2.1, read widely). */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TOKEN && /^[\x21-\x7e]+$/.test(value);
}

/** Some vendors send the number as a string. */
function expiryOf(value: unknown, now: number): number | null {
  const seconds = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0
    ? Math.round(now + seconds * 1000)
    : null;
}
