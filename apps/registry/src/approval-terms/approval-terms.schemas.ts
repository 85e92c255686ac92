import { ExecutionMode, Role } from '@switchyard/contracts';
import { z } from 'zod';

export const Mode = ExecutionMode.describe(
  '`auto_execute`: at once. `require_approval`: a person decides first.',
);

const fields = {
  approver_roles: z.array(Role).max(64).describe('Users with one of these may decide; admins always may.'),
  approver_user_ids: z.array(z.uuid()).max(200),
  self_approval: z
    .boolean()
    .describe(
      'Whether the user who asked may decide; true by default. False keeps them out whatever else they are.',
    ),
  expires_s: z
    .int()
    .min(60)
    .max(2_592_000)
    .describe('Seconds until nobody can decide any more, 86,400 by default.'),
};

/** Who may decide about calls that wait, and for how long they do: of an agent's runs, or of an integration's calls. */
export const ApprovalSettings = z.strictObject(fields);
export type ApprovalSettings = z.output<typeof ApprovalSettings>;

/** What is not named stays: to leave it out must not loosen it. */
export const ApprovalChanges = z.strictObject(z.object(fields).partial().shape);
export type ApprovalChanges = z.output<typeof ApprovalChanges>;
