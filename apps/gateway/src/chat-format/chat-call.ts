import { FilterQuery, filterFields } from '@switchyard/access';
import { type ErrorInfo, PlatformError } from '@switchyard/contracts';
import { z } from 'zod';
import { parseJson } from '../edge/parse-json.js';
import type { JsonLimits } from '../edge/json-limits.js';
import type { ChatFormat } from './openai-tool.js';

const longestArguments = 2_097_152;
const Id = z.string().min(1).max(256);
const Name = z.string().min(1).max(256);
const Arguments = z.string().max(longestArguments);

/** A tool call of an assistant message of the Chat Completions API. What that API adds to it is let pass. */
const ChatCall = z.looseObject({
  id: Id,
  type: z.literal('function').default('function'),
  function: z.looseObject({ name: Name, arguments: Arguments }),
  ...filterFields,
});
/** An output item of the Responses API. */
const ResponsesCall = z.looseObject({
  type: z.literal('function_call'),
  call_id: Id,
  name: Name,
  arguments: Arguments,
  ...filterFields,
});

export const ChatFormatQuery = FilterQuery.extend({
  format: z.enum(['chat', 'responses']).default('chat'),
});

/** A call as a model asks for it. */
export type ModelCall = { readonly id: string; readonly name: string; readonly arguments: string };

/** The schema of a request's body. */
export function modelCallSchema(format: ChatFormat): z.ZodType<ModelCall> {
  return format === 'chat'
    ? ChatCall.transform(({ id, function: { name, arguments: args } }) => ({ id, name, arguments: args }))
    : ResponsesCall.transform(({ call_id: id, name, arguments: args }) => ({ id, name, arguments: args }));
}

export type ReadArguments =
  | { readonly ok: true; readonly value: Record<string, unknown> }
  | { readonly ok: false; readonly error: ErrorInfo };

/** The arguments that a model wrote, which may be anything: what is wrong with them is for the model to read. */
export function readArguments(text: string, limits: JsonLimits): ReadArguments {
  if (text.trim() === '') return { ok: true, value: {} };
  const parsed = parseJson(text, limits);
  if (!parsed.ok) return unreadable(parsed.syntax ? 'The arguments are not valid JSON.' : parsed.problem);
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return unreadable('The arguments are no JSON object.');
  return { ok: true, value: value as Record<string, unknown> };
}

function unreadable(message: string): ReadArguments {
  return { ok: false, error: new PlatformError('tool_arguments_invalid', { message }).toInfo() };
}
