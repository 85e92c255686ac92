import type { ToolResult } from '@switchyard/contracts';

type Block = { readonly type: string; readonly [key: string]: unknown };

/**
 * An MCP result as text: its texts as they are, links and embedded texts with their URIs, a word on what is no text.
 * The structured content stands alone where there is no text, as the texts repeat it otherwise (MCP, server/tools).
 */
export function textOfContent({ content = [], structuredContent }: ToolResult): string {
  const texts = content.map((block) => textOfBlock(block)).filter((text) => text !== '');
  if (texts.length > 0) return texts.join('\n');
  return structuredContent === undefined ? '(no content)' : JSON.stringify(structuredContent);
}

function textOfBlock(block: Block): string {
  switch (block.type) {
    case 'text':
      return String(block.text ?? '');
    case 'image':
    case 'audio':
      return `[${block.type} ${String(block.mimeType ?? '')}, ${sizeOf(block.data)}, not shown]`;
    case 'resource':
      return textOfResource(block.resource);
    case 'resource_link':
      return `[${`link ${String(block.uri ?? '')} ${String(block.title ?? block.name ?? '')}`.trimEnd()}]`;
    default:
      return `[${block.type}, not shown]`;
  }
}

function textOfResource(resource: unknown): string {
  if (typeof resource !== 'object' || resource === null) return '[resource, not shown]';
  const { uri, text, blob, mimeType } = resource as Record<string, unknown>;
  if (typeof text === 'string') return `[resource ${String(uri)}]\n${text}`;
  return `[resource ${String(uri)} ${String(mimeType ?? '')}, ${sizeOf(blob)}, not shown]`;
}

function sizeOf(base64: unknown): string {
  return typeof base64 === 'string' ? `${Math.floor((base64.length * 3) / 4)} bytes` : 'of unknown size';
}
