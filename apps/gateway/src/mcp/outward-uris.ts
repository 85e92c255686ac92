import { type IntegrationRecord, type Snapshot, toOutwardUri } from '@switchyard/access';
import type { CallerContext } from '@switchyard/contracts';

type Named = Record<string, unknown>;
type Rename = (uri: string) => string;

/** How an integration's URIs read for this caller. */
export function outwardUrisOf(
  snapshot: Snapshot,
  caller: CallerContext,
  integration: IntegrationRecord,
): Rename {
  return (uri) => toOutwardUri(snapshot, caller, integration, uri);
}

/** A result of `tools/call`, `prompts/get` or `resources/read` whose URIs can be read through us; all else as it came. */
export function withOutwardUris<R extends Named>(result: R, rename: Rename): R {
  const { content, contents, messages } = result;
  return {
    ...result,
    ...(Array.isArray(content) && { content: content.map((block) => renamedBlock(block, rename)) }),
    ...(Array.isArray(contents) && { contents: contents.map((item) => renamed(item, rename)) }),
    ...(Array.isArray(messages) && { messages: messages.map((message) => renamedMessage(message, rename)) }),
  };
}

function renamedMessage(message: unknown, rename: Rename): unknown {
  if (!isObject(message)) return message;
  const { content } = message;
  const blocks = Array.isArray(content)
    ? content.map((block) => renamedBlock(block, rename))
    : renamedBlock(content, rename);
  return { ...message, content: blocks };
}

function renamedBlock(block: unknown, rename: Rename): unknown {
  if (!isObject(block)) return block;
  if (block['type'] === 'resource_link') return renamed(block, rename);
  if (block['type'] !== 'resource') return block;
  return { ...block, resource: renamed(block['resource'], rename) };
}

function renamed(item: unknown, rename: Rename): unknown {
  return isObject(item) && typeof item['uri'] === 'string' ? { ...item, uri: rename(item['uri']) } : item;
}

function isObject(value: unknown): value is Named {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
