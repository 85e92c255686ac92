import { randomBytes } from 'node:crypto';
import type { ChatRequest } from './chat-request.js';
import type { AskedCall, ModelAnswer, TokenUsage } from './model-answer.js';

type Json = Record<string, unknown>;

/** What all parts of one answer share. */
export type CompletionFrame = { readonly id: string; readonly created: number; readonly model: string };

export function newFrame(model: string, now = Date.now()): CompletionFrame {
  return { id: `chatcmpl-${randomBytes(12).toString('hex')}`, created: Math.floor(now / 1000), model };
}

/** The body of an answer that is not streamed (`object: chat.completion`). */
export function completionBody(frame: CompletionFrame, request: ChatRequest, answer: ModelAnswer): Json {
  const message = {
    role: 'assistant',
    content: answer.text === '' && answer.toolCalls.length > 0 ? null : answer.text,
    refusal: null,
    ...(answer.toolCalls.length > 0 && { tool_calls: answer.toolCalls.map(wireCall) }),
  };
  return {
    id: frame.id,
    object: 'chat.completion',
    created: frame.created,
    model: frame.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReason(answer) }],
    usage: wireUsage(answer.usage ?? estimatedUsage(request, answer)),
    system_fingerprint: null,
  };
}

/** The chunks of a streamed answer (`object: chat.completion.chunk`), in order, without the closing `[DONE]`. */
export function* completionChunks(
  frame: CompletionFrame,
  request: ChatRequest,
  answer: ModelAnswer,
): Generator<Json> {
  const withUsage = request.stream_options?.include_usage === true;
  const chunk = (choices: Json[], usage: Json | null): Json => ({
    id: frame.id,
    object: 'chat.completion.chunk',
    created: frame.created,
    model: frame.model,
    system_fingerprint: null,
    choices,
    ...(withUsage && { usage }),
  });
  const choice = (delta: Json, reason: string | null): Json =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: reason }], null);
  const onlyCalls = answer.text === '' && answer.toolCalls.length > 0;
  yield choice({ role: 'assistant', content: onlyCalls ? null : '', refusal: null }, null);
  for (const piece of pieces(answer.text, /\S*\s*/g)) yield choice({ content: piece }, null);
  for (const [index, call] of answer.toolCalls.entries()) {
    for (const delta of callDeltas(index, call)) yield choice({ tool_calls: [delta] }, null);
  }
  yield choice({}, finishReason(answer));
  if (withUsage) yield chunk([], wireUsage(answer.usage ?? estimatedUsage(request, answer)));
}

/** A call's first delta has its id and name, the others pieces of its arguments. */
function* callDeltas(index: number, call: AskedCall): Generator<Json> {
  yield { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } };
  for (const piece of pieces(call.arguments, /[\s\S]{1,8}/g)) yield { index, function: { arguments: piece } };
}

function pieces(text: string, pattern: RegExp): string[] {
  return (text.match(pattern) ?? []).filter((piece) => piece !== '');
}

function wireCall(call: AskedCall): Json {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments } };
}

function finishReason({ finishReason, toolCalls }: ModelAnswer): string {
  return finishReason ?? (toolCalls.length > 0 ? 'tool_calls' : 'stop');
}

/** Four characters to a token, the usual rule of thumb. */
function estimatedUsage(request: ChatRequest, answer: ModelAnswer): TokenUsage {
  const tokens = (value: unknown): number => Math.ceil(JSON.stringify(value).length / 4);
  return {
    promptTokens: tokens([request.messages, request.tools ?? []]),
    completionTokens: tokens([answer.text, answer.toolCalls]),
  };
}

function wireUsage({ promptTokens, completionTokens }: TokenUsage): Json {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
