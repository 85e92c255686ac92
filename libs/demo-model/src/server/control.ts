import type { IncomingMessage, ServerResponse } from 'node:http';
import { ModelScript } from '../script/script.js';
import { OpenAiError } from '../wire/openai-error.js';
import { readBody } from './read-body.js';
import { sendJson } from './send.js';
import type { SeenRequest } from './request-log.js';

/** What the control path may do with a scripted model. */
export type Controlled = {
  readonly requests: () => readonly SeenRequest[];
  readonly reset: (script?: ModelScript) => void;
};

const loopbackAddress = /^(?:127\.|::1$|::ffff:127\.)/;
const loopbackHost = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;

/**
 * `GET /control/requests`: what the model saw. `POST /control/reset`: forgets it and begins the script anew, or the
 * one in the body. From this machine alone, by a name of this machine: no page that a browser shows may use it.
 */
export async function answerControl(
  request: IncomingMessage,
  response: ServerResponse,
  model: Controlled,
): Promise<void> {
  if (!isLocal(request)) throw new OpenAiError(403, 'Only for this machine.');
  const asked = `${request.method} ${request.url}`;
  if (asked === 'GET /control/requests') return sendJson(response, 200, { requests: model.requests() });
  if (asked !== 'POST /control/reset') throw new OpenAiError(404, `Unknown request URL: ${asked}.`);
  const body = await readBody(request);
  model.reset(body === '' ? undefined : readScript(body));
  sendJson(response, 200, { reset: true });
}

function isLocal({ socket, headers }: IncomingMessage): boolean {
  return (
    loopbackAddress.test(socket.remoteAddress ?? '') &&
    loopbackHost.test(headers.host ?? '') &&
    headers.origin === undefined
  );
}

function readScript(body: string): ModelScript {
  try {
    return ModelScript.parse(JSON.parse(body));
  } catch (error) {
    throw new OpenAiError(400, `No script: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
}
