import { ErrorInfo, RunInput, RunStateSchema } from '@switchyard/contracts';
import { z } from 'zod';
import { ChatAnswer } from './chat-answer.js';
import { idempotencyKey, json, pageParameters, problem, queryParameter } from './path-parts.js';

/** The agent runner's API, which the same document describes: chat, runs, and the door of webhooks. */
const time = z.iso.datetime();
const tokens = z.int().nullable();

const runFields = {
  id: z.uuid(),
  agent: z.strictObject({ id: z.uuid(), name: z.string().nullable() }),
  kind: z.enum(['chat', 'schedule', 'webhook']),
  state: RunStateSchema,
  user_id: z.uuid().nullable(),
  conversation_id: z.uuid().nullable(),
  schedule_id: z.uuid().nullable(),
  webhook_id: z.uuid().nullable(),
  scheduled_for: time.nullable(),
  waits_for_earlier_run: z.boolean().describe('Held back by the overlap rule of its schedule.'),
  iterations: z.int(),
  usage: z.strictObject({ input_tokens: z.int(), output_tokens: z.int() }),
  error: ErrorInfo.nullable(),
  created_at: time,
  started_at: time.nullable(),
  ended_at: time.nullable(),
};
const Run = z.strictObject(runFields).meta({ id: 'Run' });
const RunPage = z
  .strictObject({ items: z.array(z.strictObject(runFields)), next_cursor: z.string().nullable() })
  .meta({ id: 'RunPage' });

const Step = z.strictObject({
  run_id: z.uuid(),
  position: z.int(),
  kind: z.enum(['turn', 'synthesis']),
  request_id: z.uuid().describe('Of the iteration: its calls have it too.'),
  text: z.string().nullable(),
  finish_reason: z.string().nullable(),
  calls_asked: z.int(),
  usage: z.strictObject({ input_tokens: tokens, output_tokens: tokens }),
  error: ErrorInfo.nullable(),
  started_at: time,
  ended_at: time,
});
const Call = z.looseObject({
  call_id: z.uuid().describe('As in /api/tool-calls and /api/approvals.'),
  request_id: z.uuid(),
  tool: z.string(),
  arguments: z.looseObject({}),
  status: z.string().nullable(),
  auth_path: z.string().nullable().describe('Under whose name it ran.'),
});
const RunDetails = z
  .strictObject({
    ...runFields,
    input: RunInput,
    plan: z
      .strictObject({
        tools: z.array(z.strictObject({ name: z.string(), integration: z.string(), policy: z.string() })),
        left_out: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
      })
      .nullable(),
    output: z.looseObject({}).nullable(),
    steps: z.array(Step),
    calls: z.array(Call),
    approvals: z.array(z.looseObject({ call_id: z.uuid(), state: z.string() })),
  })
  .meta({ id: 'RunDetails' });

const ChatBody = z
  .looseObject({
    agent: z.string().optional().describe('Slug or id; a conversation knows its own.'),
    message: z.string().optional().describe('Or `messages`, as `useChat` of the package `ai` sends them.'),
    messages: z.array(z.looseObject({})).optional(),
    conversation_id: z.string().optional().describe('Or `id`, as `useChat` sends it.'),
    stream: z.boolean().optional(),
    await_approval: z.boolean().optional().describe('Hold the stream open while a call waits for approval.'),
    mcp_tools: z.array(z.looseObject({})).optional().describe('Approves those calls that wait (shape 001).'),
  })
  .meta({ id: 'ChatBody' });
const Conversation = z
  .looseObject({ id: z.uuid(), title: z.string(), agent_id: z.uuid(), created_at: time, updated_at: time })
  .meta({ id: 'Conversation' });
const ConversationPage = z
  .strictObject({ items: z.array(Conversation), next_cursor: z.string().nullable() })
  .meta({ id: 'ConversationPage' });
const Delivery = z.strictObject({ run_id: z.uuid(), duplicate: z.boolean() }).meta({ id: 'WebhookDelivery' });

const CancelledChat = z.strictObject({ run_id: z.uuid() }).meta({ id: 'CancelledChat' });
const ChatApprovals = z
  .looseObject({ pending_tools: z.array(z.looseObject({})), approved: z.boolean(), session_id: z.string() })
  .meta({ id: 'ChatApprovals' });
const ChatDecision = z
  .looseObject({ type: z.enum(['execution_result', 'cancellation']), message: z.string() })
  .meta({ id: 'ChatDecision' });

const ChatAgent = z.strictObject({ id: z.uuid(), slug: z.string(), name: z.string() });
const ChatAgentPage = z
  .strictObject({ items: z.array(ChatAgent), next_cursor: z.string().nullable() })
  .meta({ id: 'ChatAgentPage' });

export const agentRunnerSchemas = {
  ...{ CancelledChat, ChatAgentPage, ChatApprovals, ChatDecision },
  ...{ Run, RunPage, RunDetails, ChatBody, ChatAnswer, Conversation, ConversationPage, Delivery },
};

const signedIn = { security: [{ userToken: [] }] };
const readers = { tags: ['runs'], security: [{ adminKey: [] }, { userToken: [] }] };
const chat = { tags: ['chat'], ...signedIn };
const refusals = {
  '401': problem('`unauthenticated`, `token_expired`'),
  '403': problem('`forbidden`, `user_inactive`'),
  '503': problem('`dependency_unavailable`'),
};
const crowded = { '429': problem('`rate_limited`: too many of these requests at once') };
const missing = { '404': problem('`not_found`') };
const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };
const events = { 'text/event-stream': { schema: { type: 'string' } } };
const stream = { description: 'The UI message stream of the package `ai`.', content: events };
const filters = [
  ...['agent_id', 'state', 'kind', 'user_id', 'conversation_id', 'schedule_id', 'webhook_id', 'request_id'],
  ...['call_id', 'since', 'until'],
].map((name) => queryParameter(name));
const ok = (description: string, schema: string) => ({ '200': { description, ...json(schema) } });

export const agentRunnerPaths = {
  '/api/chat': {
    post: {
      ...chat,
      operationId: 'chat',
      summary: 'Say something to an agent, or decide about calls that wait',
      parameters: [
        { ...idempotencyKey, description: 'The same message under it again gives the run that it began.' },
      ],
      requestBody: { required: true, ...json('ChatBody') },
      responses: {
        '200': {
          description: 'Streamed, or with `stream: false` one answer.',
          content: { ...events, ...json('ChatAnswer').content },
        },
        '400': problem('`invalid_request`'),
        '409': problem('`conflict`: a run of the conversation has not ended, `idempotency_conflict`'),
        '413': problem('`payload_too_large`'),
        '429': problem('`rate_limited`: too many open streams, or too many runs of the user that go on'),
        ...missing,
        ...refusals,
      },
    },
  },
  '/api/chat/agents': {
    get: {
      ...chat,
      operationId: 'listChatAgents',
      summary: 'List the agents with which you may chat, by slug',
      parameters: pageParameters,
      responses: {
        ...ok('A page.', 'ChatAgentPage'),
        '400': problem('`invalid_request`'),
        ...refusals,
      },
    },
  },
  '/api/chat/{id}/stream': {
    get: {
      ...chat,
      operationId: 'attachToChat',
      summary: 'Go on reading the answer of a conversation',
      parameters: [id, queryParameter('await_approval', 'boolean')],
      responses: { '200': stream, '204': { description: 'Nothing runs or waits.' }, ...missing, ...refusals },
    },
  },
  '/api/chat/{id}/cancel': {
    post: {
      ...chat,
      operationId: 'cancelChat',
      summary: 'Cancel what the conversation’s agent is doing',
      parameters: [id],
      responses: { '202': { description: 'It ends.', ...json('CancelledChat') }, ...missing, ...refusals },
    },
  },
  '/api/chat/approvals': {
    post: {
      ...chat,
      operationId: 'decideInChat',
      summary: 'Approve or deny calls of a conversation, in the form of request shape 001',
      requestBody: { required: true, ...json('ChatApprovals') },
      responses: {
        '200': { description: 'What came of it.', ...json('ChatDecision') },
        '400': { description: '`Invalid request`, as text.' },
        '404': { description: '`Session not found`, as text.' },
        '409': { description: 'None of these calls waits for a decision; why, as text.' },
        '500': { description: 'The run failed or a decision was refused; why, as text.' },
        ...refusals,
      },
    },
  },
  '/api/conversations': {
    get: {
      ...chat,
      operationId: 'listConversations',
      summary: 'List your conversations, the latest first',
      parameters: [...pageParameters, queryParameter('agent')],
      responses: {
        ...ok('A page.', 'ConversationPage'),
        '400': problem('`invalid_request`'),
        ...crowded,
        ...refusals,
      },
    },
  },
  '/api/conversations/{id}': {
    get: {
      ...chat,
      operationId: 'readConversation',
      summary: 'Read a conversation with its messages, the latest page of them',
      parameters: [id, ...pageParameters],
      responses: { ...ok('The conversation.', 'Conversation'), ...missing, ...crowded, ...refusals },
    },
    delete: {
      ...chat,
      operationId: 'deleteConversation',
      summary: 'Delete a conversation',
      parameters: [id],
      responses: { '204': { description: 'Gone.' }, '409': problem('`conflict`'), ...missing, ...refusals },
    },
  },
  '/api/runs': {
    get: {
      ...readers,
      operationId: 'listRuns',
      summary: 'List runs, newest first: your own; an admin and an auditor see all',
      parameters: [...pageParameters, ...filters],
      responses: {
        ...ok('A page.', 'RunPage'),
        '400': problem('`invalid_request`'),
        ...crowded,
        ...refusals,
      },
    },
  },
  '/api/runs/export': {
    get: {
      ...readers,
      operationId: 'exportRuns',
      summary: 'Export runs with their steps, calls and approvals as NDJSON',
      parameters: filters,
      responses: {
        '200': {
          description: 'A record a line.',
          content: { 'application/x-ndjson': { schema: { type: 'string' } } },
        },
        '400': problem('`invalid_request`'),
        ...crowded,
        ...refusals,
      },
    },
  },
  '/api/runs/{id}': {
    get: {
      ...readers,
      operationId: 'readRun',
      summary: 'Read a run with its plan, steps, calls and approvals',
      parameters: [id],
      responses: { ...ok('The run.', 'RunDetails'), ...missing, ...crowded, ...refusals },
    },
  },
  '/api/runs/{id}/cancel': {
    post: {
      ...readers,
      operationId: 'cancelRun',
      summary: 'Cancel a run; does nothing to one that has ended',
      parameters: [id],
      responses: { '202': { description: 'It ends.', ...json('Run') }, ...missing, ...refusals },
    },
  },
  '/hooks/{id}': {
    post: {
      tags: ['webhooks'],
      security: [],
      operationId: 'deliver',
      summary: 'Deliver to a webhook; the signature is the credential',
      parameters: [id],
      responses: {
        '202': { description: 'Its run is durable.', ...json('WebhookDelivery') },
        '200': { description: 'It came before; the first run.', ...json('WebhookDelivery') },
        '400': problem('`invalid_request`: no text'),
        '401': problem('`unauthenticated`: the signature is not believed'),
        '413': problem('`payload_too_large`'),
        ...missing,
      },
    },
  },
};
