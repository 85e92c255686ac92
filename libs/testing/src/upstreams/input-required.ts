import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  inputResponse,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { requestStates } from './fixture-server.js';

type InputRequests = NonNullable<Parameters<typeof inputRequired>[0]['inputRequests']>;

/** A form with one text field. */
export function form(
  message: string,
  field: string,
  type: 'string' | 'boolean' = 'string',
): InputRequests[string] {
  const requestedSchema = { type: 'object' as const, properties: { [field]: { type } }, required: [field] };
  return inputRequired.elicit({ message, requestedSchema: requestedSchema as never });
}

/** A question to the client's model. */
export function sample(text: string): InputRequests[string] {
  return inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens: 100,
  });
}

/** Asks until every question has an answer of its kind, then goes on. With `state`, asks in rounds that cannot be forged. */
export async function askFirst(
  ctx: ServerContext,
  inputRequests: InputRequests,
  then: (answers: Record<string, unknown>) => unknown,
  state?: unknown,
): Promise<unknown> {
  const answers = ctx.mcpReq.inputResponses ?? {};
  const isAnswered = Object.keys(inputRequests).every(
    (key) => inputResponse(answers, key).kind !== 'missing',
  );
  if (isAnswered) return then(answers);
  const requestState = state === undefined ? undefined : await requestStates.mint(state);
  return inputRequired({ inputRequests, ...(requestState !== undefined && { requestState }) });
}

/** What the client of a 2026-era request declared. */
export function declaredCapabilities(ctx: ServerContext): Record<string, unknown> {
  const envelope = ctx.mcpReq.envelope as Record<string, Record<string, unknown>> | undefined;
  return envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
}
