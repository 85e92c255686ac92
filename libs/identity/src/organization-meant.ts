import { decodeJwt } from 'jose';
import type { TrustedIssuer } from './trusted-issuer.js';

/**
 * Whose token somebody means to present: the one organization that trusts the issuer which the token names. Nothing of the
 * token was checked, so this is for the audit log of a refusal alone, which that organization's auditors want to see.
 */
export function organizationMeant(jwt: string, issuers: readonly TrustedIssuer[]): string | null {
  try {
    const { iss } = decodeJwt(jwt);
    const organizations = new Set(issuers.filter(({ issuer }) => issuer === iss).map(({ orgId }) => orgId));
    const [orgId] = organizations;
    return organizations.size === 1 && orgId !== undefined ? orgId : null;
  } catch {
    return null;
  }
}
