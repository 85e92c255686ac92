import { PlatformError, toPlatformError } from '@switchyard/contracts';
import passport from 'passport';
import { looksLikeJwt } from './read-token.js';
import type { TokenVerifier } from './token-verifier.js';
import type { VerifiedPerson } from './trusted-issuer.js';
import type { UserDirectory } from './user-directory.js';

/** What the strategy leaves: who the person is by the token, and which user that is here. */
export type SignedInUser = { readonly person: VerifiedPerson; readonly userId: string };

/** What the strategy reads of a request, of whatever framework. */
export type RequestWithHeaders = { readonly headers: { readonly authorization?: string } };

/** passport's strategy `user-token`: `Authorization: Bearer <a user's JWT>`. Fails without one; a bad one is an error. */
export class UserTokenStrategy extends passport.Strategy {
  override readonly name = 'user-token';

  constructor(
    private readonly verifier: Pick<TokenVerifier, 'verify'>,
    private readonly users: Pick<UserDirectory, 'userOf'>,
  ) {
    super();
  }

  override authenticate(request: RequestWithHeaders): void {
    const jwt = bearerJwt(request);
    if (jwt === undefined) return this.fail('Bearer', 401);
    this.signIn(jwt).then(
      (user) => this.success(user),
      (error: unknown) => this.error(toPlatformError(error)),
    );
  }

  private async signIn(jwt: string): Promise<SignedInUser> {
    const person = await this.verifier.verify(jwt);
    return { person, ...(await this.users.userOf(person)) };
  }
}

/** Runs the strategy, in a passport of its own, over a request outside of any middleware. */
export function userTokenGate(strategy: UserTokenStrategy) {
  const gate = new passport.Passport();
  gate.use(strategy);
  /** The signed-in user; throws why the token is not taken, and `unauthenticated` where there is none. */
  return ({ headers }: RequestWithHeaders): Promise<SignedInUser> =>
    new Promise((resolve, reject) => {
      const done = (error: unknown, user?: unknown) => {
        if (user) resolve(user as SignedInUser);
        else reject((error as PlatformError | null) ?? new PlatformError('unauthenticated'));
      };
      // passport writes to the request that it is given, so it gets one of its own.
      gate.authenticate(strategy.name, { session: false }, done)({ headers }, {}, done);
    });
}

/** The JWT that came as bearer; nothing for other bearers, such as keys. */
export function bearerJwt({ headers }: RequestWithHeaders): string | undefined {
  const bearer = /^Bearer ([!-~]+)$/i.exec(headers.authorization ?? '')?.[1];
  return bearer !== undefined && looksLikeJwt(bearer) ? bearer : undefined;
}
