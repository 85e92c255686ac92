import type { JSONWebKeySet, JWK } from 'jose';
import { readJson } from './read-json.js';

const mostKeys = 100;
/** For both documents together. */
const withinMs = 5_000;

/** Where an issuer's keys are; without an address they are discovered. */
export type KeySource = { readonly issuer: string; readonly jwksUri: string | null };

/** The public signing keys of an issuer (RFC 7517), as they are now. */
export async function readKeySet(send: typeof fetch, source: KeySource): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(withinMs);
  const url = source.jwksUri ?? (await discover(send, source.issuer, signal));
  const { keys } = await readJson(send, url, signal);
  if (!Array.isArray(keys)) throw new Error('The key set has no keys.');
  if (keys.length > mostKeys) throw new Error('The key set has too many keys.');
  return { keys: keys.filter(isPublicSigningKey) };
}

/** A document that speaks for another issuer is how mix-up attacks begin (OpenID Connect Discovery, section 4.3). */
async function discover(send: typeof fetch, issuer: string, signal: AbortSignal): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await readJson(send, url, signal);
  if (document.issuer !== issuer) throw new Error('The discovery document names another issuer.');
  const { jwks_uri: uri } = document;
  if (typeof uri !== 'string' || !/^https?:/.test(uri) || !URL.canParse(uri))
    throw new Error('The discovery document names no key set.');
  return uri;
}

/** A shared secret in a published set is no secret, and a private key in it no longer its owner's alone. */
function isPublicSigningKey(key: unknown): key is JWK {
  if (typeof key !== 'object' || key === null) return false;
  const { kty, kid, use, k, d } = key as JWK;
  const isAsymmetric = kty === 'RSA' || kty === 'EC' || kty === 'OKP';
  return isAsymmetric && typeof kid === 'string' && (use ?? 'sig') === 'sig' && !k && !d;
}
