import type { CallerContext } from '@switchyard/contracts';

/** The JWT by which a user calls. It stays in this process's memory, and leaves it only sealed to the token broker. */
export type UserToken = {
  readonly jwt: string;
  /** By whom it was verified: with that provider's trust the token ends too. */
  readonly issuer: string;
  readonly providerId: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
};

/** What a user allowed the OAuth client that calls for them. */
export type OAuthGrant = {
  readonly id: string;
  readonly orgId: string;
  readonly userId: string;
  /** Where the user signed in: with that provider's trust the grant ends too. */
  readonly identityProviderId: string;
  /** Of that provider then. */
  readonly issuer: string | null;
  readonly expiresAt: Date;
  /** Epoch milliseconds. */
  readonly tokenExpiresAt: number;
};

/** Who a request comes from, for as long as it or a stream of it is open. */
export type Principal = {
  /** Equal for two requests exactly if the same key, the same user (or nobody) sent them. */
  readonly id: string;
  /** Equal for two requests exactly if they came with the same credential: a user's next token may grant other roles. */
  readonly credentialId: string;
  /** Of a user it is asked anew each time: which of their claims count, admins may change while a stream is open. */
  readonly caller: CallerContext;
  readonly userToken?: UserToken;
  readonly oauthGrant?: OAuthGrant;
};

export function principalOf(caller: CallerContext): Principal {
  const id = holderOf(caller);
  return { id, credentialId: id, caller };
}

/** A user who calls by a token of their own; `tokenDigest` tells one token of theirs from another. */
export function signedInPrincipal(
  callerNow: () => CallerContext,
  userToken: UserToken,
  tokenDigest: string,
): Principal {
  const id = holderOf(callerNow());
  return {
    ...{ id, credentialId: `${id}:${tokenDigest}`, userToken },
    get caller() {
      return callerNow();
    },
  };
}

/** A user for whom an OAuth client calls: somebody else than the user in person, or with another client of theirs. */
export function oauthPrincipal(
  callerNow: () => CallerContext,
  oauthGrant: OAuthGrant,
  tokenDigest: string,
): Principal {
  const id = `${holderOf(callerNow())}:grant:${oauthGrant.id}`;
  return {
    ...{ id, credentialId: `${id}:${tokenDigest}`, oauthGrant },
    get caller() {
      return callerNow();
    },
  };
}

/** The same principal as another caller, one of a toolset for instance. A copy by `...` would keep today's claims. */
export function principalAs(
  principal: Principal,
  describe: (caller: CallerContext) => CallerContext,
): Principal {
  return {
    ...principal,
    get caller() {
      return describe(principal.caller);
    },
  };
}

/** The key or the user for whom the caller calls, with whichever of their tokens and clients. */
export function holderOf(caller: CallerContext): string {
  if (caller.virtualKeyId !== null) return `key:${caller.virtualKeyId}`;
  return caller.userId !== null ? `user:${caller.orgId}:${caller.userId}` : `anonymous:${caller.orgId}`;
}
