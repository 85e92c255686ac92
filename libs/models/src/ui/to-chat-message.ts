import { readUIMessageStream } from 'ai';
import type { ChatChunk, ChatMessage } from './chat-message.js';

/** The message that a client has once it has read these chunks: the same reader makes it. */
export async function toChatMessage(chunks: Iterable<ChatChunk>): Promise<ChatMessage> {
  const stream = ReadableStream.from(chunks) as ReadableStream<ChatChunk>;
  let message: ChatMessage = { id: '', role: 'assistant', parts: [] };
  // A failed run's stream ends with an error chunk: its message is what came before.
  const states = readUIMessageStream<ChatMessage>({ stream, onError: () => undefined });
  for await (const state of states) message = state;
  return message;
}
