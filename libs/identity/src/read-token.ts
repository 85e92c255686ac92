import { decodeJwt, decodeProtectedHeader } from 'jose';
import { unauthenticated } from './unauthenticated.js';

/** What a token says of itself. Nothing of it is true before the signature is checked: it only chooses the key. */
export type TokenHead = {
  readonly algorithm: string;
  readonly keyId: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
};

/** Signatures by private keys alone: with a shared secret whoever can check a token could also make one. */
export const algorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];

const longest = 16_384;
const types = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

/** Whether a bearer is meant as a JWT at all. Whoever sends one wants it judged as one, however wrong it is. */
export function looksLikeJwt(bearer: string): boolean {
  return /^ey[\w-]*\.[\w-]*\.[\w-]*$/.test(bearer);
}

/** Reads what chooses the key. Keys and addresses of keys in the header (`jwk`, `jku`, `x5u`) are not even looked at. */
export function readToken(jwt: string): TokenHead {
  if (jwt.length > longest) throw unauthenticated('The token is too large.');
  const { header, claims } = decode(jwt);
  if (!header.alg || !algorithms.includes(header.alg))
    throw unauthenticated('The token is not signed with an algorithm that is taken here.');
  if (header.typ !== undefined && !types.has(String(header.typ).toLowerCase()))
    throw unauthenticated('The token is not an access token.');
  if (typeof header.kid !== 'string') throw unauthenticated('The token names no key.');
  if (typeof claims.iss !== 'string') throw unauthenticated('The token names no issuer.');
  const audiences = [claims.aud ?? []].flat().filter((one) => typeof one === 'string');
  return { algorithm: header.alg, keyId: header.kid, issuer: claims.iss, audiences };
}

function decode(jwt: string) {
  try {
    return { header: decodeProtectedHeader(jwt), claims: decodeJwt(jwt) };
  } catch (error) {
    throw unauthenticated('The token is not a signed JWT.', error);
  }
}
