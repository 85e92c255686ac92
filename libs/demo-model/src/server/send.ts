import type { ServerResponse } from 'node:http';
import { OpenAiError } from '../wire/openai-error.js';

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Any thrown value as an error of the API's shape; what is none of ours is a bare 500. */
export function sendError(
  response: ServerResponse,
  thrown: unknown,
  headers: Record<string, string> = {},
): void {
  const error =
    thrown instanceof OpenAiError
      ? thrown
      : new OpenAiError(500, 'The server had an error while processing your request.', {
          type: 'server_error',
        });
  if (response.headersSent) response.destroy();
  else sendJson(response, error.status, error.toBody(), headers);
}

/** Headers of a stream of events, sent at once. */
export function beginStream(response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  response.flushHeaders();
}

/** One event; waits where the reader is slower than we are. Gives false once the reader is gone. */
export async function sendEvent(response: ServerResponse, data: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(`data: ${data}\n\n`)) return true;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
  return !response.destroyed;
}
