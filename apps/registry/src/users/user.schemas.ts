import { PageQuery } from '@switchyard/service-kit';
import { z } from 'zod';

export const UpdateUser = z.strictObject({ active: z.boolean() }).meta({ id: 'UpdateUser' });
export type UpdateUserBody = z.output<typeof UpdateUser>;

export const ListUsers = z.strictObject({
  ...PageQuery.shape,
  username: z.string().min(1).max(255).optional().describe('The whole name; upper and lower case are one.'),
  email: z.string().min(1).max(320).optional().describe('The whole address; upper and lower case are one.'),
  active: z.stringbool().optional(),
});
export type ListUsersQuery = z.output<typeof ListUsers>;

export const UserAnswer = z
  .strictObject({
    id: z.uuid(),
    organization_id: z.uuid(),
    issuer: z.string().describe('With `subject`, who it is. The rest is as of the last token.'),
    subject: z.string(),
    username: z.string().nullable(),
    email: z.string().nullable(),
    display_name: z.string().nullable(),
    roles: z.array(z.string()),
    active: z.boolean().describe('An inactive user may do nothing, and nothing runs for them.'),
    last_seen_at: z.iso.datetime(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'User' });
export type UserAnswerBody = z.output<typeof UserAnswer>;
