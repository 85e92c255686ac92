import { ExecutionMode, Role } from '@switchyard/contracts';
import { z } from 'zod';

export const Mode = ExecutionMode.describe(
  '`auto_execute`: at once. `require_approval`: a person decides first.',
);

/** Who may decide about calls that wait, and for how long they do: of an agent's runs, or of an integration's calls. */
export const ApprovalSettings = z.strictObject({
  approver_roles: z
    .array(Role)
    .max(64)
    .default([])
    .describe('Users with one of these may decide; admins always may.'),
  approver_user_ids: z.array(z.uuid()).max(200).default([]),
  self_approval: z
    .boolean()
    .default(true)
    .describe('Whether the user who asked may decide. False keeps them out whatever else they are.'),
  expires_s: z
    .int()
    .min(60)
    .max(2_592_000)
    .default(86_400)
    .describe('Seconds until nobody can decide any more.'),
});
export type ApprovalSettings = z.output<typeof ApprovalSettings>;
