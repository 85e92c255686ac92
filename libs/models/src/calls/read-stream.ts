import {
  type FinishReason,
  type LanguageModelUsage,
  NoSuchToolError,
  streamText,
  type TextStreamPart,
  type ToolSet,
} from 'ai';
import type { ConfiguredModel } from '../settings/create-model.js';
import { ProtocolViolation } from './to-model-error.js';
import { type AskedToolCall, type ModelAnswer, toModelUsage } from './model-answer.js';
import type { AnswerPart, ModelRequest } from './ask-model.js';

const mostCharacters = 2_000_000;
const mostCalls = 128;

type Part = TextStreamPart<ToolSet>;
type StreamRequest = ModelRequest & {
  readonly signal: AbortSignal;
  /** Called where the provider has said something that is part of an answer. */
  readonly onProgress: () => void;
};
type Finish = { reason: FinishReason; raw: string | undefined; usage: LanguageModelUsage; model: string };

/**
 * One request, read as a stream even where nobody watches: then a provider that hangs in the middle is noticed. Throws
 * what the provider's package throws.
 */
export async function readStream(
  { languageModel, settings }: ConfiguredModel,
  request: StreamRequest,
): Promise<Omit<ModelAnswer, 'attempts'>> {
  const result = streamText({
    model: languageModel,
    instructions: request.instructions,
    messages: [...request.messages],
    tools: request.tools,
    toolChoice: request.tools && request.toolChoice,
    maxOutputTokens: settings.max_output_tokens,
    temperature: settings.temperature,
    reasoning: settings.reasoning,
    abortSignal: request.signal,
    maxRetries: 0,
    // Its own would write errors to the console; they come as parts of the stream too.
    onError: () => undefined,
  });
  const reading = new AnswerReading(request.onPart);
  for await (const part of result.stream) {
    if (isOfAnswer(part)) request.onProgress();
    reading.take(part);
  }
  const message = (await result.responseMessages).find(({ role }) => role === 'assistant');
  return reading.finish(message?.role === 'assistant' ? message : null);
}

/** `start` and `start-step` come before the provider was heard; a part without content says nothing. */
function isOfAnswer(part: Part): boolean {
  switch (part.type) {
    case 'text-delta':
    case 'reasoning-delta':
      return part.text !== '';
    case 'tool-input-delta':
      return part.delta !== '';
    case 'tool-input-start':
    case 'tool-call':
    case 'finish-step':
      return true;
    default:
      return false;
  }
}

class AnswerReading {
  private text = '';
  private reasoning = '';
  private characters = 0;
  private readonly toolCalls: AskedToolCall[] = [];
  private ended: Finish | undefined;

  constructor(private readonly onPart: ((part: AnswerPart) => void) | undefined) {}

  take(part: Part): void {
    switch (part.type) {
      case 'text-delta':
        this.text += this.counted(part.text);
        return this.onPart?.({ type: 'text', text: part.text });
      case 'reasoning-delta':
        this.reasoning += this.counted(part.text);
        return this.onPart?.({ type: 'reasoning', text: part.text });
      case 'tool-input-start':
        return this.onPart?.({ type: 'tool_call_started', id: part.id, name: part.toolName });
      case 'tool-input-delta':
        return void this.counted(part.delta);
      case 'tool-call':
        return this.addCall(part);
      case 'finish-step':
        this.ended = {
          reason: part.finishReason,
          raw: part.rawFinishReason,
          usage: part.usage,
          model: part.response.modelId,
        };
        return;
      case 'error':
        throw part.error;
      case 'abort':
        throw new DOMException('aborted', 'AbortError');
      default:
    }
  }

  finish(message: ModelAnswer['message']): Omit<ModelAnswer, 'attempts'> {
    const ended = this.ended;
    if (!ended || isBrokenOff(ended)) throw new ProtocolViolation('broken_off');
    return {
      text: this.text,
      reasoning: this.reasoning,
      toolCalls: this.toolCalls,
      finishReason: finishReasonOf(ended.reason, this.toolCalls.length > 0),
      usage: toModelUsage(ended.usage),
      message,
      model: ended.model,
    };
  }

  private counted(text: string): string {
    this.characters += text.length;
    if (this.characters > mostCharacters) throw new ProtocolViolation('too_long');
    return text;
  }

  private addCall(part: Extract<Part, { type: 'tool-call' }>): void {
    if (this.toolCalls.length === mostCalls || this.toolCalls.some(({ id }) => id === part.toolCallId))
      throw new ProtocolViolation('tool_calls');
    this.toolCalls.push(toAskedCall(part));
  }
}

function toAskedCall(part: Extract<Part, { type: 'tool-call' }>): AskedToolCall {
  const named = { id: part.toolCallId, name: part.toolName };
  if (part.invalid && NoSuchToolError.isInstance(part.error))
    return { ...named, arguments: {}, problem: 'unknown_tool' };
  const isObject = typeof part.input === 'object' && part.input !== null && !Array.isArray(part.input);
  if (part.invalid || !isObject) return { ...named, arguments: {}, problem: 'invalid_arguments' };
  return { ...named, arguments: part.input as Record<string, unknown> };
}

/** A stream that ended without the provider's word that it is the end. */
function isBrokenOff({ reason, raw }: Finish): boolean {
  return reason === 'error' || (raw === undefined && reason === 'other') || String(reason) === 'interrupted';
}

function finishReasonOf(reason: FinishReason, hasCalls: boolean): ModelAnswer['finishReason'] {
  if (reason === 'length') return 'length';
  if (reason === 'content-filter') return 'content_filter';
  if (hasCalls) return 'tool_calls';
  return reason === 'stop' ? 'stop' : 'other';
}
