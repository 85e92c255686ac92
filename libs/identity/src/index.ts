export { looksLikeJwt } from './read-token.js';
export { toPerson } from './to-person.js';
export { TokenVerifier } from './token-verifier.js';
export type { TokenVerifierOptions } from './token-verifier.js';
export type { TrustedIssuer, VerifiedPerson } from './trusted-issuer.js';
export { UserDirectory } from './user-directory.js';
export type { UserDirectoryOptions } from './user-directory.js';
export { bearerJwt, UserTokenStrategy, userTokenGate } from './user-token.strategy.js';
export type { RequestWithHeaders, SignedInUser } from './user-token.strategy.js';
