import { IssuerMismatchError, validateAuthorizationResponseIssuer } from '@modelcontextprotocol/client';
import type { AuthorizationServer } from './authorization-server.js';
import { ownWords } from './own-words.js';

/**
 * Why a consent did not come about: `issuer_mismatch` (the response is of another server, or does not say whose), `denied`
 * (the user said no), `vendor_error` (the server said so; `description` is what it said), `malformed`.
 */
export type ConsentFailure = 'issuer_mismatch' | 'denied' | 'vendor_error' | 'malformed';

const messages: Record<ConsentFailure, string> = {
  issuer_mismatch: 'The answer is not from the authorization server that was asked.',
  denied: 'Consent was not given.',
  vendor_error: 'The authorization server refused the request.',
  malformed: 'The answer of the authorization server is not complete.',
};

/** An authorization response that holds no code which may be redeemed. The message is fit for a page. */
export class ConsentError extends Error {
  override readonly name = 'ConsentError';

  constructor(
    readonly reason: ConsentFailure,
    /** The vendor's error code and words, printable and short. Never set on `issuer_mismatch`. */
    readonly description: string | null = null,
  ) {
    super(messages[reason]);
  }
}

export type AuthorizationResponse = {
  server: AuthorizationServer;
  /** As it was recorded before the redirect. */
  expectedIssuer: string;
  params: URLSearchParams;
  redirectUri: string;
};

const ONCE = ['code', 'state', 'iss', 'error', 'error_description'];

/**
 * Takes the code from an authorization response. The issuer is compared before anything else is read, exactly (RFC 9207), so
 * that nothing of another server's response is shown to anybody. `state` is the caller's to compare. Throws `ConsentError`.
 */
export function checkAuthorizationResponse(response: AuthorizationResponse): { code: string } {
  const { params } = response;
  if (ONCE.some((name) => params.getAll(name).length > 1)) throw new ConsentError('malformed');
  checkIssuer(response);
  // What stands in the redirect URI comes back with it (RFC 6749, section 3.1.2).
  for (const [name, value] of new URL(response.redirectUri).searchParams)
    if (params.get(name) !== value) throw new ConsentError('malformed');
  const error = params.get('error');
  if (error !== null) throw refused(error, params.get('error_description'));
  const code = params.get('code');
  if (!code) throw new ConsentError('malformed');
  return { code };
}

function checkIssuer({ server, expectedIssuer, params }: AuthorizationResponse): void {
  if (server.issuer !== expectedIssuer) throw new ConsentError('issuer_mismatch');
  try {
    validateAuthorizationResponseIssuer({
      iss: params.get('iss') ?? undefined,
      expectedIssuer,
      issParameterSupported: server.requiresIssuerParameter,
    });
  } catch (thrown) {
    if (thrown instanceof IssuerMismatchError) throw new ConsentError('issuer_mismatch');
    throw thrown;
  }
}

function refused(error: string, description: string | null): ConsentError {
  const words = ownWords(description ? `${error}: ${description}` : error);
  return new ConsentError(error === 'access_denied' ? 'denied' : 'vendor_error', words);
}
