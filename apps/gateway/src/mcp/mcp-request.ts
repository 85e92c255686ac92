import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { RequestFilter } from '@switchyard/access';
import type { PlatformError } from '@switchyard/contracts';
import { toProblem } from '@switchyard/service-kit';
import type { Principal } from '../auth/principal.js';

/** One authenticated HTTP request to `/mcp`, whose answer is written past the framework: it may be a stream. */
export type McpRequest = {
  /** At the address of a toolset, its caller is one of that toolset. */
  readonly principal: Principal;
  /** What the request's headers narrow it to. */
  readonly filter: RequestFilter | undefined;
  /** Of the `Idempotency-Key` header, checked. */
  readonly idempotencyKey: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
};

/** Whose sessions and states are meant: a principal's at one address are not its own at another. */
export function ownerOf({ id, caller: { toolsetId } }: Principal): string {
  return toolsetId === undefined ? id : `${id} ${toolsetId}`;
}

/** Answers with JSON text. */
export function sendJson(response: ServerResponse, status: number, text: string): void {
  const body = Buffer.from(text);
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': body.byteLength })
    .end(body);
}

/** Answers with a problem document, as the REST routes do: for what is refused before it is a matter of MCP. */
export function sendRawProblem(response: ServerResponse, error: PlatformError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const problem = toProblem(error);
  if (error.retryAfterMs !== undefined)
    response.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1000));
  response.setHeader('content-type', 'application/problem+json; charset=utf-8');
  response.writeHead(problem.status).end(JSON.stringify(problem));
}

/** A header that is sent once. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
