import type { ServerResponse } from 'node:http';
import type { Switchyard } from './switchyard.ts';

const pauseMs = 1_000;

/**
 * Hands Switchyard's stream on to the browser. It ends with the user's token, and with each replica that drains: then
 * it is opened again, with a fresh token, for as long as the user is signed in here.
 */
export async function passEvents(
  switchyard: Switchyard,
  response: ServerResponse,
  isWanted: () => boolean,
): Promise<void> {
  const left = new AbortController();
  response.once('close', () => left.abort());
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  while (!left.signal.aborted && isWanted()) {
    const mayTryAgain = await passOnce(switchyard, response, left.signal).catch(() => true);
    if (!mayTryAgain) break;
    await new Promise((resume) => setTimeout(resume, pauseMs));
  }
  response.end();
}

/** Whether it is worth another try: a user whom Switchyard refuses has to sign in again. */
async function passOnce(
  switchyard: Switchyard,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<boolean> {
  const stream = await switchyard.events(signal);
  if (!stream.ok || !stream.body) return stream.status !== 401 && stream.status !== 403;
  for await (const chunk of stream.body) response.write(chunk);
  return true;
}
