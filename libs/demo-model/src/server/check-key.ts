import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { OpenAiError } from '../wire/openai-error.js';

/** Throws the API's 401 unless the request has the key. Compared by digest: in constant time, whatever the lengths. */
export function checkKey(request: IncomingMessage, apiKey: string): void {
  const [, given = ''] = /^Bearer\s+(.+)$/i.exec(request.headers.authorization ?? '') ?? [];
  if (given === '') {
    throw new OpenAiError(401, "You didn't provide an API key.", { code: null });
  }
  if (!timingSafeEqual(digest(given), digest(apiKey))) {
    throw new OpenAiError(401, 'Incorrect API key provided.', { code: 'invalid_api_key' });
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
