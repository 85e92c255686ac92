import { z } from 'zod';
import { Role } from './callers.js';
import { ErrorInfo } from './errors.js';

/** A person whose token was verified, as the identity provider names them. `issuer` and `subject` together are the person. */
export const UserRecord = z.strictObject({
  v: z.literal(1),
  orgId: z.uuid(),
  issuer: z.string().min(1).max(2_048),
  subject: z.string().min(1).max(255),
  username: z.string().max(255).nullable(),
  email: z.string().max(320).nullable(),
  displayName: z.string().max(255).nullable(),
  roles: z.array(Role).max(64),
});
export type UserRecord = z.infer<typeof UserRecord>;

export const UserRecordAnswer = z.discriminatedUnion('status', [
  /** An inactive user may do nothing. */
  z.strictObject({ status: z.literal('known'), userId: z.uuid(), active: z.boolean() }),
  z.strictObject({ status: z.literal('refused'), error: ErrorInfo }),
]);
export type UserRecordAnswer = z.infer<typeof UserRecordAnswer>;

/** A browser session of the token broker's sign-in. Its value never travels. */
export const BrowserSession = z.strictObject({
  v: z.literal(1),
  /** Hex SHA-256 of the session cookie's value. */
  sessionSha256: z.string().length(64),
});
export type BrowserSession = z.infer<typeof BrowserSession>;

/**
 * Claims that are of a token and not of its person: sessions do not keep them, and no policy may ask for them. It would
 * hold at one door and not at the other.
 */
export const claimsOfTokens: ReadonlySet<string> = new Set(
  'exp iat nbf jti nonce at_hash c_hash s_hash sid auth_time typ session_state'.split(' '),
);

export const BrowserSessionAnswer = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('signed_in'),
    orgId: z.uuid(),
    userId: z.uuid(),
    identityProviderId: z.uuid(),
    /** Of the provider as it was at sign-in. */
    issuer: z.string().max(2_048).optional(),
    username: z.string().nullable(),
    roles: z.array(Role).max(64),
    /** What the identity provider said of the person at sign-in, bounded; policies are asked about it. */
    claims: z.record(z.string(), z.unknown()),
    /** Epoch milliseconds. */
    signedInAt: z.number().int(),
    expiresAt: z.number().int(),
  }),
  z.strictObject({ status: z.literal('signed_out') }),
]);
export type BrowserSessionAnswer = z.infer<typeof BrowserSessionAnswer>;
