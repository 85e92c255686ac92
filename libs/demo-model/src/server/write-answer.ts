import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { TurnAnswer } from '../script/script.js';
import type { ChatRequest } from '../wire/chat-request.js';
import { completionBody, completionChunks, newFrame } from '../wire/completion.js';
import type { ModelAnswer } from '../wire/model-answer.js';
import { OpenAiError } from '../wire/openai-error.js';
import type { SeenRequest } from './request-log.js';
import { beginStream, sendError, sendEvent, sendJson } from './send.js';

export type AnswerParts = {
  readonly request: ChatRequest;
  readonly answer: ModelAnswer;
  /** What a script has the model do besides answering. */
  readonly behaviour: TurnAnswer;
};

const endlessPauseMs = 10;

/** Writes one turn as the script has it: refused, cut, malformed, endless, or simply answered. */
export async function writeAnswer(
  response: ServerResponse,
  parts: AnswerParts,
): Promise<SeenRequest['ended']> {
  const { behaviour, request } = parts;
  if (behaviour.delay_ms) await wait(behaviour.delay_ms);
  if (response.destroyed) return 'client_left';
  if (behaviour.error) return refuse(response, behaviour.error);
  if (behaviour.drop === 'before') return drop(response);
  if (behaviour.malformed) return writeMalformed(response, behaviour.malformed, request.stream === true);
  return request.stream ? writeStream(response, parts) : writeWhole(response, parts);
}

function refuse(response: ServerResponse, error: NonNullable<TurnAnswer['error']>): 'refused' {
  const { status, message, type = status >= 500 ? 'server_error' : undefined, code } = error;
  const headers =
    error.retry_after_s === undefined ? undefined : { 'retry-after': String(error.retry_after_s) };
  sendError(response, new OpenAiError(status, message, { type, code: code ?? null }), headers);
  return 'refused';
}

function drop(response: ServerResponse): 'dropped' {
  response.destroy();
  return 'dropped';
}

function writeMalformed(response: ServerResponse, how: 'body' | 'shape', stream: boolean): 'answered' {
  const text = how === 'body' ? '<html>Bad gateway' : '{"hello":"world"}';
  const type = stream ? 'text/event-stream' : 'application/json';
  response.writeHead(200, { 'content-type': type }).end(stream ? `data: ${text}\n\n` : text);
  return 'answered';
}

function writeWhole(
  response: ServerResponse,
  { request, answer, behaviour }: AnswerParts,
): SeenRequest['ended'] {
  const body = completionBody(newFrame(request.model), request, answer);
  if (behaviour.drop !== 'midway') {
    sendJson(response, 200, body);
    return 'answered';
  }
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
  response.write(text.subarray(0, text.length / 2), () => response.destroy());
  return 'dropped';
}

async function writeStream(
  response: ServerResponse,
  { request, answer, behaviour }: AnswerParts,
): Promise<SeenRequest['ended']> {
  beginStream(response);
  const frame = newFrame(request.model);
  const all = [...completionChunks(frame, request, answer)].map((chunk) => JSON.stringify(chunk));
  const chunks = behaviour.drop === 'midway' ? all.slice(0, Math.ceil(all.length / 2)) : all;
  for (const chunk of behaviour.endless ? endless(all) : chunks) {
    const isThere = await sendEvent(response, chunk);
    if (!isThere) return 'client_left';
    const pauseMs = behaviour.chunk_delay_ms ?? (behaviour.endless ? endlessPauseMs : 0);
    if (pauseMs > 0) await wait(pauseMs);
  }
  if (behaviour.drop === 'midway') return drop(response);
  await sendEvent(response, '[DONE]');
  response.end();
  return 'answered';
}

/** The first chunk, then the second again and again: a text without end. */
function* endless(chunks: readonly string[]): Generator<string> {
  const [first = '', second = ''] = chunks;
  yield first;
  for (;;) yield second;
}
