import { randomBytes } from 'node:crypto';

/** A call as a model asks for it. `arguments` is JSON text (a script may make it something else). */
export type AskedCall = { readonly id: string; readonly name: string; readonly arguments: string };

export type TokenUsage = { readonly promptTokens: number; readonly completionTokens: number };

/** One turn of the model, before it is written to the wire. */
export type ModelAnswer = {
  readonly text: string;
  readonly toolCalls: readonly AskedCall[];
  /** By default `tool_calls` where there are calls, else `stop`. */
  readonly finishReason?: string;
  /** By default an estimate. */
  readonly usage?: TokenUsage;
};

export function textAnswer(text: string): ModelAnswer {
  return { text, toolCalls: [] };
}

/** An id as the API makes them. */
export function newCallId(): string {
  return `call_${randomBytes(12).toString('hex')}`;
}
