import { requestTokens, type TokenRequest } from './token-request.js';
import type { TokenOutcome } from './tokens.js';

const scopeOf = (scopes: readonly string[] | null | undefined) => scopes?.join(' ');

/** Redeems the code of a consent. The caller has compared its issuer (`checkAuthorizationResponse`). Never throws. */
export function redeemCode(
  request: TokenRequest & { code: string; codeVerifier: string; redirectUri: string },
): Promise<TokenOutcome> {
  return requestTokens(request, 'authorization_code', {
    code: request.code,
    code_verifier: request.codeVerifier,
    redirect_uri: request.redirectUri,
  });
}

/** Uses a refresh token. `tokens.refreshToken` is the one to use next, be it new or the same. Never throws. */
export async function refreshTokens(
  request: TokenRequest & {
    refreshToken: string;
    /** Narrows the grant; absent: it stays as it is. */
    scopes?: readonly string[] | null;
  },
): Promise<TokenOutcome> {
  const { refreshToken, scopes } = request;
  const outcome = await requestTokens(request, 'refresh_token', {
    refresh_token: refreshToken,
    scope: scopeOf(scopes),
  });
  if (outcome.status !== 'ok') return outcome;
  return {
    status: 'ok',
    tokens: { ...outcome.tokens, refreshToken: outcome.tokens.refreshToken ?? refreshToken },
  };
}

/** The integration's own token. Never throws. */
export function requestClientCredentials(
  request: TokenRequest & { scopes?: readonly string[] | null; audience?: string | null },
): Promise<TokenOutcome> {
  const { scopes, audience } = request;
  return requestTokens(request, 'client_credentials', { scope: scopeOf(scopes), audience });
}

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** Exchanges a user's token for one of the integration (RFC 8693). Never throws. */
export function exchangeToken(
  request: TokenRequest & {
    subjectToken: string;
    /** An access token unless said otherwise. */
    subjectTokenType?: string;
    audience?: string | null;
    scopes?: readonly string[] | null;
  },
): Promise<TokenOutcome> {
  return requestTokens(request, TOKEN_EXCHANGE, {
    subject_token: request.subjectToken,
    subject_token_type: request.subjectTokenType ?? ACCESS_TOKEN,
    requested_token_type: ACCESS_TOKEN,
    audience: request.audience,
    scope: scopeOf(request.scopes),
  });
}
