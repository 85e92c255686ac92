import type { ToolResult } from '@switchyard/contracts';
import type { ChatFormat } from './openai-tool.js';

type Part = { readonly type: string; readonly [field: string]: unknown };

/** What a model gets of a result, in the form in which it can be appended to the conversation as it is. */
export function toolMessage(result: ToolResult, callId: string, format: ChatFormat): Record<string, unknown> {
  if (format === 'chat') return { role: 'tool', tool_call_id: callId, content: inText(result) };
  const parts = result.content ?? [];
  const hasImages = parts.some((part) => part.type === 'image');
  const output = hasImages ? parts.map(inputPart) : inText(result);
  return { type: 'function_call_output', call_id: callId, output };
}

/** All of a result as text; structured content where there is nothing else. */
function inText({ content = [], structuredContent }: ToolResult): string {
  if (content.length > 0) return content.map(partInText).join('\n');
  return structuredContent === undefined ? '' : JSON.stringify(structuredContent);
}

/** Bytes are no text for a model: it is told what was there. */
function partInText(part: Part): string {
  switch (part.type) {
    case 'text':
      return String(part['text']);
    case 'image':
    case 'audio':
      return `[${part.type}: ${String(part['mimeType'])}]`;
    case 'resource':
      return resourceInText(part['resource']);
    default:
      return JSON.stringify(part);
  }
}

function resourceInText(resource: unknown): string {
  const { uri, text, mimeType } = (resource ?? {}) as Record<string, unknown>;
  return typeof text === 'string' ? text : `[resource: ${String(uri)} ${String(mimeType ?? '')}]`.trimEnd();
}

/** The Responses API takes images in a tool's output. */
function inputPart(part: Part): Record<string, unknown> {
  if (part.type !== 'image') return { type: 'input_text', text: partInText(part) };
  return {
    type: 'input_image',
    image_url: `data:${String(part['mimeType'])};base64,${String(part['data'])}`,
  };
}
