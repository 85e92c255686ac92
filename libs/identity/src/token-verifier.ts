import { PlatformError } from '@switchyard/contracts';
import { errors, jwtVerify } from 'jose';
import type { CryptoKey, JWTPayload } from 'jose';
import { IssuerKeys } from './issuer-keys.js';
import { algorithms, readToken } from './read-token.js';
import type { TokenHead } from './read-token.js';
import { toPerson } from './to-person.js';
import type { TrustedIssuer, VerifiedPerson } from './trusted-issuer.js';
import { unauthenticated } from './unauthenticated.js';

/** How far the provider's clock may be ahead of ours. */
const leewaySeconds = 30;

export type TokenVerifierOptions = {
  /** Asked for each token: what an admin changes holds from the next one on. */
  issuers: () => readonly TrustedIssuer[];
  /** Should go through the egress policy: an admin chose the address. */
  fetch: typeof fetch;
  now?: () => number;
};

/** Tells whose token a JWT is (RFC 7519, 9068; RFC 8725 for what is not taken). Keys are kept by issuer. */
export class TokenVerifier {
  private readonly issuers: () => readonly TrustedIssuer[];
  private readonly send: typeof fetch;
  private readonly now: () => number;
  private readonly keys = new Map<string, IssuerKeys>();

  constructor({ issuers, fetch: send, now = Date.now }: TokenVerifierOptions) {
    this.issuers = issuers;
    this.send = send;
    this.now = now;
  }

  /** Throws `unauthenticated`, `token_expired`, or `dependency_unavailable` while the keys are out of reach. */
  async verify(jwt: string): Promise<VerifiedPerson> {
    const head = readToken(jwt);
    const provider = this.providerOf(head);
    const key = await this.keysOf(provider).find(head);
    const claims = await this.checked(jwt, key, provider);
    return toPerson(provider, claims);
  }

  /** A token that two providers could claim would be of two organizations: nobody gets it. */
  private providerOf({ issuer, audiences }: TokenHead): TrustedIssuer {
    const trusted = this.issuers().filter((one) => one.enabled && one.issuer === issuer);
    if (trusted.length === 0) throw unauthenticated('The token’s issuer is not trusted here.');
    const [provider, another] = trusted.filter(({ audience }) => audiences.includes(audience));
    if (!provider) throw unauthenticated('The token is for another audience.');
    if (another) throw unauthenticated('The token is for more than one organization.');
    return provider;
  }

  private keysOf({ issuer, jwksUri }: TrustedIssuer): IssuerKeys {
    const name = JSON.stringify([issuer, jwksUri]);
    const keys = this.keys.get(name) ?? new IssuerKeys({ issuer, jwksUri }, this.send, this.now);
    this.keys.set(name, keys);
    return keys;
  }

  private async checked(jwt: string, key: CryptoKey, provider: TrustedIssuer): Promise<JWTPayload> {
    const seconds = this.now() / 1_000;
    const { payload } = await jwtVerify(jwt, key, {
      algorithms,
      issuer: provider.issuer,
      audience: provider.audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: leewaySeconds,
      currentDate: new Date(this.now()),
    }).catch(refused);
    // The leeway is for tokens from a clock ahead of ours, not for tokens past their time.
    if ((payload.exp ?? 0) <= seconds) throw new PlatformError('token_expired');
    if (payload.iat !== undefined && !(payload.iat <= seconds + leewaySeconds))
      throw unauthenticated('The token is from the future.');
    return payload;
  }
}

function refused(error: unknown): never {
  if (error instanceof errors.JWTExpired) throw new PlatformError('token_expired', { cause: error });
  if (error instanceof errors.JWTClaimValidationFailed)
    throw unauthenticated(`The token’s claim "${error.claim}" does not hold.`, error);
  throw unauthenticated('The token’s signature does not hold.', error);
}
