import type { CallToolResult } from '@modelcontextprotocol/server';
import type { LocalTool, LocalToolContext, LocalToolResult } from './define-tool.js';

/** Runs a handler on arguments that its schema took. What it throws is the tool's error, by its message alone. */
export async function runTool(
  tool: LocalTool,
  args: Record<string, unknown>,
  context: LocalToolContext,
): Promise<CallToolResult> {
  try {
    const value = await tool.handler(args, context);
    return isResult(value) && (value.isError || !tool.output)
      ? (value as CallToolResult)
      : await resultOf(tool, value);
  } catch (error) {
    return failed(error instanceof Error ? error.message || error.name : String(error));
  }
}

async function resultOf({ name, output }: LocalTool, value: unknown): Promise<CallToolResult> {
  if (output) {
    const parsed = await output.safeParseAsync(value);
    if (!parsed.success)
      return failed(`The result of ${name} does not match its output schema: ${parsed.error.message}`);
    return structured(parsed.data);
  }
  if (typeof value === 'string') return { content: [text(value)] };
  if (value === undefined) return { content: [] };
  // Structured content is an object to all clients but the newest.
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? structured(value)
    : { content: [text(JSON.stringify(value))] };
}

function structured(value: object): CallToolResult {
  const json = JSON.stringify(value);
  return { content: [text(json)], structuredContent: JSON.parse(json) as Record<string, unknown> };
}

function failed(message: string): CallToolResult {
  return { content: [text(message)], isError: true };
}

function text(value: string): { type: 'text'; text: string } {
  return { type: 'text', text: value };
}

function isResult(value: unknown): value is LocalToolResult {
  const { content } = (value ?? {}) as { content?: unknown };
  return (
    Array.isArray(content) && content.every((part) => typeof (part as { type?: unknown })?.type === 'string')
  );
}
