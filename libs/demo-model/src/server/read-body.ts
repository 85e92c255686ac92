import type { IncomingMessage } from 'node:http';
import { OpenAiError } from '../wire/openai-error.js';

const mostBytes = 16 * 1024 * 1024;

/** The whole body as text; throws a 413 for one that is too large. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new OpenAiError(413, `The body is larger than ${mostBytes} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
