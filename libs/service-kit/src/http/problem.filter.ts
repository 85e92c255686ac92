import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { errorCatalog, type PlatformError } from '@switchyard/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../logs/log.js';
import { afterBody } from './after-body.js';
import { logContext } from '../logs/log-context.js';
import { toProblem, toPublicError } from './problem.js';

/** Turns whatever a request throws into a problem document; what is our fault is logged with its cause. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const error = toPublicError(thrown);
    this.#record(error, request);
    sendProblem(http.getResponse<FastifyReply>(), error, request.id);
  }

  #record(error: PlatformError, request: FastifyRequest): void {
    const fields = { code: error.code, method: request.method, route: request.routeOptions?.url };
    if (errorCatalog[error.code].httpStatus >= 500)
      this.log.error({ ...fields, err: error }, 'request failed');
    else this.log.debug(fields, 'request refused');
  }
}

/** Answers with the problem document of `error`. A stream that has begun can only be cut off. */
export function sendProblem(reply: FastifyReply, error: PlatformError, requestId?: string): void {
  if (reply.raw.headersSent) {
    reply.raw.destroy();
    return;
  }
  const problem = toProblem(error, { callId: logContext().callId, requestId });
  if (error.retryAfterMs !== undefined)
    reply.header('retry-after', String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))));
  reply.code(problem.status).type('application/problem+json; charset=utf-8');
  afterBody(reply.request.raw, error, () => reply.send(JSON.stringify(problem)));
}
