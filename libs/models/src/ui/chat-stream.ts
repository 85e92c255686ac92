import { createUIMessageStreamResponse } from 'ai';
import type { ChatChunk } from './chat-message.js';

/** Proxies between here and the client give up on what is silent for longer. */
const keepAliveMs = 15_000;

/** An answer as it goes to the client: its headers, and its bytes as server-sent events. */
export type ChatStream = {
  readonly headers: Record<string, string>;
  readonly body: ReadableStream<Uint8Array>;
};

/** The UI message stream of `ai`: one event for each chunk, a comment while nothing happens, `[DONE]` at the end. */
export function chatStream(
  chunks: AsyncIterable<ChatChunk>,
  options: { keepAliveMs?: number } = {},
): ChatStream {
  const { headers, body } = createUIMessageStreamResponse({
    stream: ReadableStream.from(chunks) as ReadableStream<ChatChunk>,
    keepAliveMs: options.keepAliveMs ?? keepAliveMs,
  });
  if (!body) throw new Error('a stream without a body');
  return { headers: Object.fromEntries(headers.entries()), body };
}
