import { z } from 'zod';
import { Mode } from '../approval-terms/approval-terms.schemas.js';

const context = z
  .enum(['chat', 'schedule', 'webhook'])
  .describe('Who is there: a user, or nobody (schedule, webhook).');
const userId = z
  .uuid()
  .describe('With context `chat`: this user, with the roles of their last token and no claims.');

export const AskTools = z.strictObject({ context: context.default('chat'), user_id: userId.optional() });
export type AskToolsQuery = z.output<typeof AskTools>;

const reasons = [
  'unknown_integration',
  'unknown_tool',
  'user_scoped',
  'hidden',
  'not_available_in_chat',
  'not_available_to_autonomous',
  'not_shared',
  'denied_by_policy',
  'no_identity',
  'not_connected',
  'not_approved',
  'approval_required',
] as const;

export const AgentTools = z
  .strictObject({
    context,
    user_id: z.uuid().nullable(),
    may_chat: z
      .boolean()
      .nullable()
      .describe('Whether that user may chat with the agent; null without a user.'),
    tools: z.array(
      z.strictObject({
        name: z.string(),
        integration: z.string().describe('The slug.'),
        integration_id: z.uuid(),
        title: z.string().nullable(),
        description: z.string().nullable().describe('The vendor’s text.'),
        annotations: z.looseObject({}).nullable().describe('The vendor’s hints.'),
        execution: Mode,
        safe: z.boolean().describe('Whether a call may be sent twice.'),
        deadline_ms: z.int(),
      }),
    ),
    left_out: z
      .array(
        z.strictObject({
          name: z.string().describe('A tool, or a client where its tools are not known.'),
          integration: z.string(),
          reason: z.enum(reasons),
        }),
      )
      .describe('What the grants name and the run would not be offered.'),
  })
  .meta({ id: 'AgentTools' });
export type AgentToolsBody = z.input<typeof AgentTools>;
