import type { Account, FindAccount } from 'oidc-provider';

/** Somebody who can sign in. */
export type TestUser = { roles?: string[]; email?: string; name?: string };

/** Claims of a user that every access token has besides the usual ones. */
export function claimsOf(users: Record<string, TestUser>, user: string): Record<string, unknown> {
  const { roles = [], email = `${user}@example.test`, name = user } = users[user] ?? {};
  return { preferred_username: user, email, name, roles };
}

/** Whoever signs in exists: a test that wants a user names one. */
export function findAccountAmong(users: Record<string, TestUser>): FindAccount {
  return (_ctx, sub): Account => ({ accountId: sub, claims: async () => ({ sub, ...claimsOf(users, sub) }) });
}
