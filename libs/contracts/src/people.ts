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
