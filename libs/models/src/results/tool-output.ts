import type { ErrorInfo, ToolResult } from '@switchyard/contracts';
import type { ToolModelMessage, ToolResultPart } from 'ai';
import { frameUntrusted } from '../untrusted/frame-untrusted.js';
import type { AskedToolCall } from '../calls/model-answer.js';
import { textOfContent } from './text-of-content.js';

/** What a model reads as the result of a call: plain JSON. */
export type ToolOutput = Extract<ToolResultPart['output'], { type: 'text' | 'error-text' }>;

type Named = { readonly outwardName: string; readonly maxCharacters?: number };

/** A tool's result, framed as data. A result with `isError` stays an error, so that the model can mend its call. */
export function resultOutput(result: ToolResult, { outwardName, maxCharacters }: Named): ToolOutput {
  const framed = frameUntrusted(textOfContent(result), { source: `tool ${outwardName}`, maxCharacters });
  return { type: result.isError === true ? 'error-text' : 'text', value: framed };
}

/** A call that brought no result. The code is ours; the message may repeat a server's words, so it is framed. */
export function failureOutput(error: ErrorInfo, { outwardName, maxCharacters }: Named): ToolOutput {
  const framed = frameUntrusted(error.message, { source: `call of ${outwardName}`, maxCharacters });
  return { type: 'error-text', value: `The call did not succeed (${error.code}).\n${framed}` };
}

/** The answer to a call that cannot be made as the model asked for it. */
export function problemOutput(problem: NonNullable<AskedToolCall['problem']>): ToolOutput {
  const value =
    problem === 'unknown_tool'
      ? 'There is no such tool. Call only tools that you were given.'
      : 'The arguments are not a JSON object. Call the tool again with one that fits its schema.';
  return { type: 'error-text', value };
}

/** The message that answers all calls of one turn; providers refuse a turn of which a call stays open. */
export function toolResultsMessage(
  results: readonly { readonly call: AskedToolCall; readonly output: ToolOutput }[],
): ToolModelMessage {
  return {
    role: 'tool',
    content: results.map(({ call, output }) => ({
      type: 'tool-result',
      toolCallId: call.id,
      toolName: call.name,
      output,
    })),
  };
}
