import { randomBytes } from 'node:crypto';
import * as oauth from 'oauth4webapi';
import type { Config } from './config.ts';

export type Tokens = {
  /** The JWT that Switchyard takes: the user's, for its audience. */
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly user: string;
};

/** A sign-in under way, remembered by the cookie of the browser that began it. */
type Begun = {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly at: number;
};

const patienceMs = 600_000;
const mostBegun = 10_000;
/** A token that ends within this is refreshed before it is used. */
const leewayMs = 30_000;

type Provider = { server: oauth.AuthorizationServer; client: oauth.Client; auth: oauth.ClientAuth };

/** The provider gives no more tokens: the user has to sign in again. */
export class SignInOver extends Error {
  override readonly name = 'SignInOver';
}

/** Signs users in at the organization's identity provider: authorization code with PKCE (RFC 9700). */
export class SignIn {
  readonly #config: Config;
  readonly #begun = new Map<string, Begun>();
  /** One refresh for each token, however many requests want it: a rotated token works once. */
  readonly #refreshes = new Map<string, Promise<Tokens>>();
  #provider: Promise<Provider> | undefined;

  constructor(config: Config) {
    this.#config = config;
  }

  /** Where to send the browser, and the key to remember it by. */
  async begin(redirectUri: string): Promise<{ url: URL; key: string }> {
    const { server } = await this.#discovered();
    const begun: Begun = {
      state: oauth.generateRandomState(),
      nonce: oauth.generateRandomNonce(),
      verifier: oauth.generateRandomCodeVerifier(),
      at: Date.now(),
    };
    const key = randomBytes(32).toString('base64url');
    this.#begun.set(key, begun);
    const [oldest] = this.#begun.keys();
    if (this.#begun.size > mostBegun && oldest !== undefined) this.#begun.delete(oldest);
    const url = new URL(String(server.authorization_endpoint));
    const parameters = {
      response_type: 'code',
      client_id: this.#config.clientId,
      redirect_uri: redirectUri,
      scope: 'openid profile email',
      state: begun.state,
      nonce: begun.nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: 'S256',
      ...(this.#config.resource && { resource: this.#config.resource }),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return { url, key };
  }

  /** The tokens of a sign-in that came back, to the browser that began it. Throws when it is none of ours. */
  async complete(key: string | undefined, callback: URL, redirectUri: string): Promise<Tokens> {
    const begun = this.#begun.get(key ?? '');
    this.#begun.delete(key ?? '');
    if (!begun || Date.now() - begun.at > patienceMs) throw new Error('This sign-in was not begun here.');
    const { server, client, auth } = await this.#discovered();
    const parameters = oauth.validateAuthResponse(server, client, callback, begun.state);
    const response = await oauth.authorizationCodeGrantRequest(
      ...([server, client, auth, parameters, redirectUri, begun.verifier, this.#options()] as const),
    );
    const answer = await oauth.processAuthorizationCodeResponse(server, client, response, {
      expectedNonce: begun.nonce,
      requireIdToken: true,
    });
    const claims = oauth.getValidatedIdTokenClaims(answer);
    return tokensOf(answer, String(claims?.['preferred_username'] ?? claims?.sub));
  }

  /** Tokens that are good for another while. Throws `SignInOver`. */
  async fresh(tokens: Tokens): Promise<Tokens> {
    const { refreshToken } = tokens;
    if (tokens.expiresAt - leewayMs > Date.now() || !refreshToken) return tokens;
    const running = this.#refreshes.get(refreshToken);
    if (running) return running;
    const refresh = this.#refresh(tokens, refreshToken).finally(() => this.#refreshes.delete(refreshToken));
    this.#refreshes.set(refreshToken, refresh);
    return refresh;
  }

  /** Tells the provider that nobody uses the tokens any more. */
  async end({ refreshToken }: Tokens): Promise<void> {
    const { server, client, auth } = await this.#discovered();
    if (!refreshToken || !server.revocation_endpoint) return;
    await oauth.revocationRequest(server, client, auth, refreshToken, this.#options());
  }

  async #refresh(tokens: Tokens, refreshToken: string): Promise<Tokens> {
    const { server, client, auth } = await this.#discovered();
    const response = await oauth.refreshTokenGrantRequest(
      server,
      client,
      auth,
      refreshToken,
      this.#options(),
    );
    const answer = await oauth
      .processRefreshTokenResponse(server, client, response)
      .catch((cause: unknown) => {
        const isOver = cause instanceof oauth.ResponseBodyError && cause.error === 'invalid_grant';
        throw isOver ? new SignInOver('The sign-in has ended. Sign in again.', { cause }) : cause;
      });
    return { ...tokensOf(answer, tokens.user), refreshToken: answer.refresh_token ?? refreshToken };
  }

  #discovered(): Promise<Provider> {
    this.#provider ??= this.#discover().catch((error: unknown) => {
      this.#provider = undefined;
      throw error;
    });
    return this.#provider;
  }

  async #discover(): Promise<Provider> {
    const issuer = new URL(this.#config.issuer);
    const response = await oauth.discoveryRequest(issuer, this.#options());
    const server = await oauth.processDiscoveryResponse(issuer, response);
    const { clientId, clientSecret } = this.#config;
    const auth = clientSecret === undefined ? oauth.None() : oauth.ClientSecretPost(clientSecret);
    return { server, client: { client_id: clientId }, auth };
  }

  /** Plain http is for a provider on one's own machine. */
  #options() {
    return { [oauth.allowInsecureRequests]: this.#config.issuer.startsWith('http://') };
  }
}

function tokensOf(answer: oauth.TokenEndpointResponse, user: string): Tokens {
  return {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token,
    expiresAt: Date.now() + (answer.expires_in ?? 300) * 1_000,
    user,
  };
}
