import { AuthPath, CallStateSchema, ErrorCodeSchema, ToolResult } from '@switchyard/contracts';
import { z } from 'zod';
import { filterFields } from './face-paths.js';
import {
  filterParameters,
  idempotencyKey,
  json,
  pageParameters,
  problem,
  queryParameter,
} from './path-parts.js';

const day = 86_400_000;

/** The gateway's async API, which the same document describes: one origin, one document. */
const ToolCallRequest = z
  .strictObject({
    tool: z.string().min(1).max(256).describe('The outward name, `<slug>_<tool>`.'),
    arguments: z.record(z.string(), z.unknown()).optional(),
    deadline_ms: z.int().min(1).max(day).optional(),
    idempotency_key: z.string().min(1).max(255).optional().describe('Or as the header Idempotency-Key.'),
    ...filterFields,
  })
  .meta({ id: 'ToolCallRequest' });

const ToolCallStatus = z
  .strictObject({
    call_id: z.uuid(),
    status: CallStateSchema,
    approval_id: z.uuid().optional().describe('Where a person has to decide first (`/api/approvals`).'),
    approval_url: z.string().optional(),
    approve_url: z.string().optional(),
    deny_url: z.string().optional(),
    expires_at: z.iso.datetime().optional(),
    next: z.string().optional(),
  })
  .meta({ id: 'ToolCallStatus' });

const record = {
  call_id: z.uuid(),
  status: CallStateSchema,
  method: z
    .string()
    .describe('`tools/call`, or of MCP clients `prompts/get`, `resources/read`, `completion/complete`.'),
  tool: z.string().describe('The outward name; of other methods, the prompt’s name or the URI.'),
  integration: z.string(),
  error: z.looseObject({ code: ErrorCodeSchema, message: z.string() }).optional(),
  result_bytes: z.int().nullable(),
  auth_path: AuthPath.nullable(),
  attempts: z.int(),
  accepted_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  ended_at: z.iso.datetime().nullable(),
  deadline_at: z.iso.datetime(),
  duration_ms: z.int().optional(),
};

const ToolCallPage = z
  .strictObject({ items: z.array(z.looseObject(record)), next_cursor: z.string().nullable() })
  .meta({ id: 'ToolCallPage' });

const ToolCall = z
  .looseObject({
    ...record,
    arguments: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('Null where the integration keeps none.'),
    result: ToolResult.nullable().describe('The MCP result of a call that completed.'),
  })
  .meta({ id: 'ToolCall' });

export const gatewaySchemas = { ToolCallRequest, ToolCallStatus, ToolCallPage, ToolCall };

const uuidParameter = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
const security = [
  { virtualKey: [] },
  { virtualKeyHeader: [] },
  { virtualKeyBfHeader: [] },
  { userToken: [] },
];
const always = {
  '401': problem('`unauthenticated`, `key_expired`, `key_revoked`, `token_expired`'),
  '503': problem('`queue_unavailable`, `dependency_unavailable`'),
};
const shared = { tags: ['tool calls'], security };

export const gatewayPaths = {
  '/api/tool-calls': {
    get: {
      ...shared,
      operationId: 'listToolCalls',
      summary: 'List the caller’s own calls, newest first',
      parameters: [...pageParameters, queryParameter('status'), queryParameter('tool')],
      responses: {
        '200': { description: 'A page of calls.', ...json('ToolCallPage') },
        '400': problem('`invalid_request`'),
        ...always,
      },
    },
    post: {
      ...shared,
      operationId: 'acceptToolCall',
      summary: 'Accept a tool call; it runs whatever becomes of the caller',
      parameters: [...filterParameters, idempotencyKey],
      requestBody: { required: true, ...json('ToolCallRequest') },
      responses: {
        '202': { description: 'Accepted.', ...json('ToolCallStatus') },
        '400': problem('`invalid_request`, `tool_arguments_invalid`'),
        '403': problem('`tool_unapproved`'),
        '404': problem('`tool_not_found`'),
        '429': problem('`rate_limited`'),
        '409': problem('`idempotency_conflict`'),
        ...always,
      },
    },
  },
  '/api/tool-calls/{id}': {
    get: {
      ...shared,
      operationId: 'readToolCall',
      summary: 'Read a tool call and its result',
      parameters: [uuidParameter],
      responses: {
        '200': { description: 'The call.', ...json('ToolCall') },
        '404': problem('`not_found`'),
        ...always,
      },
    },
  },
  '/api/tool-calls/{id}/cancel': {
    post: {
      ...shared,
      operationId: 'cancelToolCall',
      summary: 'Cancel a call that is unsent or safe',
      parameters: [uuidParameter],
      responses: {
        '200': { description: 'Cancelled.', ...json('ToolCallStatus') },
        '404': problem('`not_found`'),
        '409': problem('`conflict`: it runs and is not safe, or has ended'),
        ...always,
      },
    },
  },
};
