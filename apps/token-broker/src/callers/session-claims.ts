import { claimsOfTokens, PlatformError } from '@switchyard/contracts';

const mostBytes = 65_536;

/**
 * What a session keeps of a person's claims, so that policies can be asked about them as long as it lives. More than
 * anybody's token holds is refused, not shortened: a policy that denies by a claim must find it.
 */
export function sessionClaims(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.entries(claims).filter(([name, value]) => {
    return !claimsOfTokens.has(name) && value !== undefined && value !== null;
  });
  const json = JSON.stringify(kept);
  // PostgreSQL's jsonb takes neither a zero character nor half of a surrogate pair.
  if (json.length > mostBytes || /\\u0000|\\ud[89a-f]/i.test(json))
    throw new PlatformError('unauthenticated', {
      message: 'The identity provider says more of this person than a session can hold.',
    });
  return Object.fromEntries(kept);
}
