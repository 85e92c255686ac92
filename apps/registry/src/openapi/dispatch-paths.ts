import { approvalStates, CallStateSchema } from '@switchyard/contracts';
import { z } from 'zod';
import { json, pageParameters, problem, queryParameter } from './path-parts.js';

/** Dispatch's API of approvals, which the same document describes: one origin, one document. */
const time = z.iso.datetime();
const who = z.strictObject({ kind: z.enum(['user', 'admin']), user_id: z.uuid().nullable() });

const fields = {
  id: z.uuid().describe('That of the call.'),
  state: z.enum(approvalStates),
  tool: z.string().describe('The outward name.'),
  tool_name: z.string().describe('The upstream’s own.'),
  integration: z.strictObject({ id: z.uuid(), slug: z.string(), name: z.string().nullable() }),
  arguments_sha256: z.string().describe('Over the JSON text of the arguments.'),
  description: z.string().nullable(),
  annotations: z.looseObject({}).nullable(),
  risk: z
    .strictObject({
      destructive: z.boolean(),
      read_only: z.boolean(),
      idempotent: z.boolean(),
      open_world: z.boolean(),
      source: z.string(),
    })
    .nullable()
    .describe('What the vendor says of its tool: claims, no facts. Null where the tool is gone.'),
  asked_by: z.strictObject({ user_id: z.uuid().nullable(), virtual_key_id: z.uuid().nullable() }),
  agent: z.strictObject({ id: z.uuid(), name: z.string().nullable() }).nullable(),
  run_id: z.uuid().nullable(),
  run_kind: z.string(),
  created_at: time,
  expires_at: time,
  decided_at: time.nullable(),
  decided_by: who.nullable(),
  reason: z.string().nullable(),
  call: z.strictObject({ id: z.uuid(), status: CallStateSchema }),
};

const ApprovalPage = z
  .strictObject({ items: z.array(z.strictObject(fields)), next_cursor: z.string().nullable() })
  .meta({ id: 'ApprovalPage' });
const Approval = z
  .strictObject({
    ...fields,
    arguments: z.record(z.string(), z.unknown()).nullable(),
    may_decide: z.boolean().describe('Whether you may decide about it now.'),
  })
  .meta({ id: 'Approval' });
const ApproveBody = z
  .strictObject({
    arguments_sha256: z
      .string()
      .optional()
      .describe('Of the arguments that you saw: other ones are refused.'),
  })
  .meta({ id: 'ApproveBody' });
const DenyBody = z.strictObject({ reason: z.string().max(2_000).optional() }).meta({ id: 'DenyBody' });

export const dispatchSchemas = { Approval, ApprovalPage, ApproveBody, DenyBody };

const shared = { tags: ['approvals'], security: [{ adminKey: [] }, { userToken: [] }] };
const refusals = {
  '401': problem('`unauthenticated`, `token_expired`'),
  '503': problem('`dependency_unavailable`'),
};
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
const approval = (description: string) => ({ '200': { description, ...json('Approval') } });
const filters = ['state', 'run_id', 'agent_id', 'tool', 'integration', 'asked_by'];

const deciding = (body: string, summary: string) => ({
  post: {
    ...shared,
    operationId: summary.startsWith('Approve') ? 'approveCall' : 'denyCall',
    summary,
    parameters: [id],
    requestBody: { required: false, ...json(body) },
    responses: {
      ...approval('Decided.'),
      '400': problem('`invalid_request`'),
      '403': problem('`forbidden`, `user_inactive`, `approval_expired`'),
      '404': problem('`not_found`'),
      '409': problem('`conflict`: it was decided before, or the arguments are others; `approval_stale`'),
      ...refusals,
    },
  },
});

export const dispatchPaths = {
  '/api/approvals': {
    get: {
      ...shared,
      operationId: 'listApprovals',
      summary:
        'List calls that wait or waited for a person, newest first: your own, and those that you may decide',
      parameters: [
        ...pageParameters,
        ...filters.map((name) => queryParameter(name)),
        queryParameter('mine', 'boolean', 'Only those that you may decide.'),
      ],
      responses: {
        '200': { description: 'A page of approvals.', ...json('ApprovalPage') },
        '400': problem('`invalid_request`'),
        ...refusals,
      },
    },
  },
  '/api/approvals/{id}': {
    get: {
      ...shared,
      operationId: 'readApproval',
      summary: 'Read an approval, with the arguments of its call',
      parameters: [id],
      responses: { ...approval('The approval.'), '404': problem('`not_found`'), ...refusals },
    },
  },
  '/api/approvals/{id}/approve': deciding('ApproveBody', 'Approve: the call runs, under the one who asked'),
  '/api/approvals/{id}/deny': deciding('DenyBody', 'Deny: the call ends and is never sent'),
};
