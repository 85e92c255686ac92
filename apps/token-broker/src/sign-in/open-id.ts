import * as oauth from 'oauth4webapi';
import { PlatformError } from '@switchyard/contracts';
import type { IdentityProvider } from '../callers/identity-providers.repository.js';

/** What the provider says of the person, verified: signature, issuer, audience, nonce. */
export type SignedInClaims = { readonly claims: oauth.IDToken; readonly accessToken: string };
export type OpenIdRequest = {
  readonly provider: IdentityProvider;
  readonly fetch: typeof fetch;
  readonly redirectUri: string;
  /** The provider asks who is there, though it remembers somebody. */
  readonly isNewSignInWanted?: boolean;
};
type Secrets = { readonly state: string; readonly nonce: string; readonly codeVerifier: string };

const timeoutMs = 5_000;

/** The URL at which a person signs in: authorization code flow with PKCE, a nonce and a state. */
export async function authorizationUrl(
  request: OpenIdRequest,
  { state, nonce, codeVerifier }: Secrets,
): Promise<string> {
  const { provider, redirectUri, isNewSignInWanted } = request;
  const server = await discover(request);
  const url = new URL(server.authorization_endpoint ?? '');
  const scopes = new Set(['openid', ...provider.scopes]);
  const parameters = {
    response_type: 'code',
    client_id: provider.clientId,
    redirect_uri: redirectUri,
    scope: [...scopes].join(' '),
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    ...(isNewSignInWanted && { prompt: 'login' }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}

/** Redeems the code of the way back. Throws `unauthenticated`, or `dependency_unavailable` when the provider is away. */
export async function redeem(
  request: OpenIdRequest,
  params: URLSearchParams,
  { state, nonce, codeVerifier }: Secrets,
): Promise<SignedInClaims> {
  const server = await discover(request);
  const client: oauth.Client = { client_id: request.provider.clientId };
  try {
    const checked = oauth.validateAuthResponse(server, client, params, state);
    const response = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      oauth.None(),
      checked,
      request.redirectUri,
      codeVerifier,
      options(request),
    );
    if (response.status >= 500) throw unreachable(new Error(`HTTP ${response.status}`));
    const result = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: nonce,
      requireIdToken: true,
    });
    // Until here only TLS vouched for the token.
    await oauth.validateApplicationLevelSignature(server, response, options(request));
    const claims = oauth.getValidatedIdTokenClaims(result);
    if (!claims) throw new Error('There is no ID token.');
    return { claims, accessToken: result.access_token };
  } catch (cause) {
    throw judged(cause);
  }
}

async function discover(request: OpenIdRequest): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(request.provider.issuer);
  try {
    return await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, options(request)),
    );
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause;
    throw unreachable(cause);
  }
}

/** Plain http is admitted where the egress policy behind `fetch` admits it. */
function options({ fetch }: OpenIdRequest) {
  return {
    [oauth.customFetch]: plainResponse(fetch) as never,
    [oauth.allowInsecureRequests]: true as const,
    signal: () => AbortSignal.timeout(timeoutMs),
  };
}

/** The policy's responses are undici's; the library looks for Node's own. */
function plainResponse(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (url, init) => {
    const { status, headers, ...response } = await whole(await fetch(url, init));
    return new Response(status === 204 || status === 304 ? null : response.body, { status, headers });
  };
}

async function whole(response: Response) {
  const kept = [...response.headers].filter(([name]) => !/^content-(encoding|length)$/i.test(name));
  return { status: response.status, headers: new Headers(kept), body: await response.arrayBuffer() };
}

function judged(cause: unknown): PlatformError {
  if (cause instanceof PlatformError) return cause;
  const isTheirs =
    cause instanceof oauth.AuthorizationResponseError ||
    cause instanceof oauth.ResponseBodyError ||
    cause instanceof oauth.OperationProcessingError ||
    cause instanceof oauth.WWWAuthenticateChallengeError;
  return isTheirs
    ? new PlatformError('unauthenticated', {
        message: 'The identity provider’s answer does not hold.',
        cause,
      })
    : unreachable(cause);
}

function unreachable(cause: unknown): PlatformError {
  return new PlatformError('dependency_unavailable', {
    message: 'The identity provider does not answer.',
    cause,
  });
}
