import { z } from 'zod';

export const LostTool = z.strictObject({
  tool: z.string().describe('The outward name; the client’s, where its tools are not known.'),
  integration: z.string().describe('The slug.'),
  reason: z
    .enum(['no_identity', 'not_available_to_autonomous', 'approval_required', 'user_scoped'])
    .describe(
      '`no_identity`: users bring their own credentials, and no service user has one. `user_scoped`: the integration is of single users.',
    ),
});
export type LostTool = z.output<typeof LostTool>;
