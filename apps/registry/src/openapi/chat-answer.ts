import { ErrorCodeSchema, RunStateSchema } from '@switchyard/contracts';
import { z } from 'zod';

const waiting = { tool_call_id: z.string(), integration: z.string().describe('Slug.') };

const Approval = z
  .strictObject({
    type: z.literal('approval_required'),
    state: z.literal('waiting'),
    approval_id: z.uuid(),
    ...waiting,
    tool: z.string(),
    description: z.string().nullable(),
    arguments: z.looseObject({}),
    risk: z
      .strictObject({
        ...{ read_only: z.boolean(), destructive: z.boolean() },
        ...{ idempotent: z.boolean(), open_world: z.boolean() },
      })
      .describe('As the tool’s server claims it.'),
    expires_at: z.iso.datetime(),
    may_decide: z.boolean().describe('False: another person has to.'),
    approve_url: z.string(),
    deny_url: z.string(),
  })
  .meta({ id: 'ChatApproval' });

const Reauth = z
  .strictObject({
    type: z.literal('needs_reauth'),
    state: z.literal('waiting'),
    call_id: z.uuid(),
    ...waiting,
    reauth_url: z.string().nullable().describe('Where the user connects the integration.'),
  })
  .meta({ id: 'ChatReauth' });

const Output = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: z.string(), finish_reason: z.string() }),
  z.strictObject({
    kind: z.literal('tool_results'),
    results: z.array(
      z.looseObject({ call_id: z.uuid(), tool: z.string(), outcome: z.looseObject({}).nullable() }),
    ),
    model_error: z.looseObject({ code: ErrorCodeSchema, message: z.string() }).optional(),
  }),
]);

const Failure = z.strictObject({
  code: ErrorCodeSchema,
  message: z.string(),
  next: z.string().describe('What to do next.'),
  retry_after_ms: z.int().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
});

const PendingTool = z
  .looseObject({
    client_name: z.string(),
    tool: z.looseObject({}),
    tool_call: z.looseObject({ id: z.string() }),
    approval_id: z.uuid(),
  })
  .describe('A call that waits for approval, in the form of request shape 001.');

const tokens = z.int().nullable();

/** The answer of a chat that does not stream. */
export const ChatAnswer = z
  .strictObject({
    run_id: z.uuid(),
    conversation_id: z.uuid().nullable(),
    status: RunStateSchema,
    message: z.looseObject({}).describe('A UI message of the package `ai`.'),
    output: Output.nullable().describe('Null until the run has completed.'),
    error: Failure.nullable(),
    usage: z.strictObject({ input_tokens: tokens, output_tokens: tokens, total_tokens: tokens }),
    pending: z.array(z.discriminatedUnion('type', [Approval, Reauth])).describe('What the run waits for.'),
    refused: z
      .array(z.strictObject({ approval_id: z.uuid(), code: ErrorCodeSchema, message: z.string() }))
      .describe('Decisions of the request that were not taken.'),
    extra_fields: z.strictObject({ pending_mcp_tools: z.array(PendingTool) }),
  })
  .meta({ id: 'ChatAnswer' });
