import type { ServerResponse } from 'node:http';
import { CallerLeft } from './prepared-call.js';

/** Aborts with `CallerLeft` when the client is gone before it has its answer. */
export function leavingOf(response: ServerResponse): AbortSignal {
  const left = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) left.abort(new CallerLeft('disconnected'));
  });
  return left.signal;
}
