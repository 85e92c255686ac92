import { Role } from '@switchyard/contracts';
import type { JWTPayload } from 'jose';
import type { TrustedIssuer, VerifiedPerson } from './trusted-issuer.js';
import { unauthenticated } from './unauthenticated.js';

const mostRoles = 64;

/** The person whom verified claims describe. Names that nobody could store or read are left out; a subject must be there. */
export function toPerson(provider: TrustedIssuer, claims: JWTPayload): VerifiedPerson {
  const subject = shown(claims.sub, 255);
  if (subject === null) throw unauthenticated('The token names no subject.');
  return {
    orgId: provider.orgId,
    providerId: provider.id,
    issuer: provider.issuer,
    subject,
    username: shown(claims.preferred_username, 255),
    email: claims.email_verified === false ? null : shown(claims.email, 320),
    displayName: shown(claims.name, 255),
    roles: rolesOf(claims, provider.rolesClaim),
    expiresAt: Math.min((claims.exp ?? 0) * 1_000, Number.MAX_SAFE_INTEGER),
    claims,
  };
}

/** One role or a list of them; what is no role is left out, for roles only ever add rights. */
function rolesOf(claims: JWTPayload, path: string): string[] {
  const given = [valueAt(claims, path) ?? []].flat();
  const roles = given.filter((one) => Role.safeParse(one).success && shown(one, 128) !== null) as string[];
  return [...new Set(roles)].slice(0, mostRoles);
}

/** By the whole name first: claims of some providers are URLs, which have dots too. */
function valueAt(claims: JWTPayload, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  return path.split('.').reduce<unknown>((value, name) => own(value, name), claims);
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Record<string, unknown>)[name];
}

function shown(value: unknown, longest: number): string | null {
  if (typeof value !== 'string' || value === '' || value.length > longest) return null;
  return value.isWellFormed() && !/\p{Cc}/u.test(value) ? value : null;
}
