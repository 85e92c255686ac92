/** What an organization trusts: `IdentityProviderRecord` of `libs/access` fits. */
export type TrustedIssuer = {
  readonly id: string;
  readonly orgId: string;
  readonly issuer: string;
  readonly audience: string;
  /** Null: discovered at the issuer (OpenID Connect Discovery). */
  readonly jwksUri: string | null;
  /** Name, or dotted path, of the claim that holds the user's roles. */
  readonly rolesClaim: string;
  readonly enabled: boolean;
};

/** Whose token it was. `issuer` and `subject` together are the person; the rest is for people's eyes, but for `roles`. */
export type VerifiedPerson = {
  readonly orgId: string;
  readonly providerId: string;
  readonly issuer: string;
  readonly subject: string;
  readonly username: string | null;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly roles: string[];
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  readonly claims: Record<string, unknown>;
};
