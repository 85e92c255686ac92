import { ErrorCodeSchema, ToolResult } from '@switchyard/contracts';
import { z } from 'zod';
import {
  filterParameters,
  idempotencyKey,
  json,
  pageParameters,
  problem,
  queryParameter,
} from './path-parts.js';

/** The gateway's doors for chat backends, and what users allowed MCP clients. */
const names = z.array(z.string().max(200)).max(1_000).optional();

export const filterFields = {
  include_clients: names,
  exclude_clients: names,
  include_tools: names,
  exclude_tools: names,
};

const BffTool = z
  .looseObject({
    tool_id: z.string().describe('`<integration id>:<tool>`. A call takes the name too.'),
    name: z.string(),
    title: z.string().nullable(),
    description: z.string(),
    input_schema: z.unknown(),
    output_schema: z.unknown(),
    annotations: z.looseObject({}).describe('What the vendor says of its tool: claims, no facts.'),
    source_id: z.uuid(),
    source: z.string().describe('The integration’s slug.'),
    tags: z.array(z.string()),
    version: z.string().describe('Changes with every change of the tool at its server.'),
  })
  .meta({ id: 'BffTool' });

const BffToolList = z
  .strictObject({
    tools: z.array(BffTool).describe('With `format=openai`: what a model provider takes as `tools`.'),
    count: z.int(),
  })
  .meta({ id: 'BffToolList' });

const BffCallRequest = z
  .strictObject({
    tool_id: z.string().nullish().describe('Wins over `name`; one of them is needed.'),
    name: z.string().nullish(),
    arguments: z.record(z.string(), z.unknown()).nullish(),
    validate_schema: z.boolean().nullish().describe('False leaves the check of the arguments to the vendor.'),
    idempotency_key: z.string().min(1).max(255).optional().describe('Or as the header Idempotency-Key.'),
    ...filterFields,
  })
  .meta({ id: 'BffCallRequest' });

const BffCall = z
  .strictObject({
    tool_id: z.string(),
    name: z.string(),
    status: z.enum(['completed', 'failed', 'pending']),
    result: ToolResult.nullable(),
    error: z.looseObject({ code: ErrorCodeSchema, message: z.string(), next: z.string() }).nullable(),
    call_id: z.uuid(),
    execution_time_ms: z.int(),
    upstream_status: z.int().nullable(),
    next: z.string().optional().describe('Where to ask what became of it, while it is pending.'),
  })
  .meta({ id: 'BffCall' });

const ModelTools = z.strictObject({ tools: z.array(z.looseObject({})) }).meta({ id: 'ModelTools' });
const ModelToolCall = z
  .looseObject({ function: z.looseObject({ name: z.string(), arguments: z.string() }).optional() })
  .describe('A tool call as the model wrote it, in the format that `format` names.')
  .meta({ id: 'ModelToolCall' });
const ModelToolMessage = z
  .looseObject({})
  .describe('The message to append to the conversation.')
  .meta({ id: 'ModelToolMessage' });

const OAuthGrant = z
  .strictObject({
    id: z.uuid(),
    user_id: z.uuid(),
    user_name: z.string().nullable(),
    client_id: z.string(),
    client_name: z.string().nullable(),
    client_verified_by: z.string().nullable().describe('Null: nobody vouches for the client’s name.'),
    redirect_uri: z.string(),
    resource: z.string(),
    integration_ids: z
      .array(z.uuid())
      .nullable()
      .describe('What the user shares. Null: all that they may use.'),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().nullable(),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'OAuthGrant' });
const OAuthGrantPage = z
  .strictObject({ items: z.array(OAuthGrant), next_cursor: z.string().nullable() })
  .meta({ id: 'OAuthGrantPage' });

export const faceSchemas = {
  BffTool,
  BffToolList,
  BffCallRequest,
  BffCall,
  ModelTools,
  ModelToolCall,
  ModelToolMessage,
  OAuthGrant,
  OAuthGrantPage,
};

const users = [{ userToken: [] }];
const callers = [{ virtualKey: [] }, { virtualKeyHeader: [] }, { virtualKeyBfHeader: [] }, { userToken: [] }];
const refusals = {
  '401': problem('`unauthenticated`, `token_expired`, `key_expired`, `key_revoked`'),
  '403': problem('`forbidden`, `user_inactive`'),
  '503': problem('`queue_unavailable`, `dependency_unavailable`'),
};
const bff = { tags: ['BFF'], security: users };
const chat = { tags: ['chat format'], security: callers };
const grants = { tags: ['OAuth grants'], security: [...users, { adminKey: [] }] };
const idParameter = { name: 'id', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } };
const listFormat = queryParameter('format', 'string', '`bff` or `openai`.');
const modelFormat = queryParameter('format', 'string', '`chat` or `responses`.');
const callProblems = {
  '400': problem('`invalid_request`, `tool_arguments_invalid`'),
  '401': problem('`unauthenticated`, `token_expired`, `token_exchange_failed`'),
  '403': problem('`forbidden`, `tool_unapproved`, `user_inactive`'),
  '404': problem('`tool_not_found`'),
  '429': problem('`rate_limited`'),
  '503': problem('`queue_unavailable`, `dependency_unavailable`, or the upstream is down'),
};

export const facePaths = {
  '/api/bff/tools': {
    get: {
      ...bff,
      operationId: 'bffListTools',
      summary: 'List the tools of the signed-in user',
      parameters: [listFormat, ...filterParameters],
      responses: { '200': { description: 'The tools.', ...json('BffToolList') }, ...refusals },
    },
  },
  '/api/bff/tools/call': {
    post: {
      ...bff,
      operationId: 'bffCallTool',
      summary: 'Call a tool as the signed-in user; `Prefer: wait=` says how long to wait for its end',
      parameters: [...filterParameters, idempotencyKey],
      requestBody: { required: true, ...json('BffCallRequest') },
      responses: {
        '200': { description: 'The call ended: `completed`, or `failed` at the tool.', ...json('BffCall') },
        '202': { description: 'The call goes on: `pending`.', ...json('BffCall') },
        '409': problem('`idempotency_conflict`'),
        ...callProblems,
      },
    },
  },
  '/api/bff/calls/{id}': {
    get: {
      ...bff,
      operationId: 'bffReadCall',
      summary: 'Read what became of a call',
      parameters: [idParameter],
      responses: {
        '200': { description: 'The call.', ...json('BffCall') },
        '404': problem('`not_found`'),
        ...refusals,
      },
    },
  },
  '/api/bff/sse': {
    get: {
      ...bff,
      operationId: 'bffStream',
      summary: 'Follow the list of tools: `connected`, `tool_list`, `heartbeat`, `error`',
      parameters: [listFormat, ...filterParameters],
      responses: {
        '200': {
          description: 'Server-sent events.',
          content: { 'text/event-stream': { schema: { type: 'string' } } },
        },
        ...refusals,
        '429': problem('`rate_limited`'),
      },
    },
  },
  '/v1/mcp/tools': {
    get: {
      ...chat,
      operationId: 'chatFormatListTools',
      summary: 'List the caller’s tools in a model provider’s format',
      parameters: [modelFormat, ...filterParameters],
      responses: { '200': { description: 'The tools.', ...json('ModelTools') }, ...refusals },
    },
  },
  '/v1/mcp/tool/execute': {
    post: {
      ...chat,
      operationId: 'chatFormatExecuteTool',
      summary: 'Run a model’s tool call and answer the tool message',
      parameters: [modelFormat, ...filterParameters, idempotencyKey],
      requestBody: { required: true, ...json('ModelToolCall') },
      responses: {
        '200': {
          description: 'The message; what went wrong with the tool is its content.',
          ...json('ModelToolMessage'),
        },
        ...refusals,
        '400': problem('`invalid_request`'),
        '409': problem('`idempotency_conflict`'),
        '429': problem('`rate_limited`'),
      },
    },
  },
  '/api/oauth/grants': {
    get: {
      ...grants,
      operationId: 'listOAuthGrants',
      summary: 'List what MCP clients were allowed: one’s own, or for admins the organization’s',
      parameters: pageParameters,
      responses: {
        '200': { description: 'A page of grants.', ...json('OAuthGrantPage') },
        ...refusals,
      },
    },
  },
  '/api/oauth/grants/{id}': {
    delete: {
      ...grants,
      operationId: 'revokeOAuthGrant',
      summary: 'Take back what an MCP client was allowed; its tokens end at once',
      parameters: [idParameter],
      responses: { '204': { description: 'Revoked.' }, '404': problem('`not_found`'), ...refusals },
    },
  },
};
