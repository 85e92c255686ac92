import type { WireTool } from '@switchyard/contracts';

export type ChatFormat = 'chat' | 'responses';

/** A tool as OpenAI's Chat Completions or Responses API takes it. Outward names are what providers accept. */
export function openAiTool(wire: WireTool, format: ChatFormat) {
  const description = typeof wire['description'] === 'string' ? wire['description'] : '';
  const facts = { name: wire.name, description, parameters: wire.inputSchema };
  if (format === 'chat') return { type: 'function', function: facts };
  // That API takes schemas for strict ones unless it is told otherwise, and vendors' seldom are.
  return { type: 'function', ...facts, strict: false };
}
