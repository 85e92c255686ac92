import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { PlatformError } from '@switchyard/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { withLogContext } from '../logs/log-context.js';
import type { Metrics } from '../ops/metrics.js';
import { leaveOutMalformedType } from './malformed-type.js';
import { toProblem, toPublicError } from './problem.js';
import { sendProblem } from './problem.filter.js';

const defaultBodyLimit = 1_048_576;

/** Fastify for Nest: our problem documents where the framework answers by itself, a request id, a latency metric. */
export function createHttpAdapter(options: {
  bodyLimitBytes?: number;
  trustedProxies?: readonly string[];
  metrics: Metrics;
}): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: options.bodyLimitBytes ?? defaultBodyLimit,
    // Whoever else sends X-Forwarded-For says what they like.
    trustProxy: options.trustedProxies?.length ? [...options.trustedProxies] : false,
    genReqId: () => randomUUID(),
    // Names of tools stand in paths, percent-encoded.
    routerOptions: { maxParamLength: 1_024 },
    // A draining server still serves what arrives on open connections, with `Connection: close`.
    return503OnClosing: false,
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      sendProblem(reply, toPublicError(error), request.id),
    clientErrorHandler: answerBrokenRequest,
  });
  addHooks(adapter, options.metrics);
  return adapter;
}

function addHooks(adapter: FastifyAdapter, metrics: Metrics): void {
  const duration = metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from a request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
  });
  const server = adapter.getInstance();
  server.addHook('onRequest', (request, _reply, done) => withLogContext({ requestId: request.id }, done));
  server.addHook('onRequest', ({ headers }, _reply, done) => {
    leaveOutMalformedType(headers);
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    duration.observe(
      { method: request.method, route: request.routeOptions.url ?? 'none', status: reply.statusCode },
      reply.elapsedTime / 1000,
    );
    done();
  });
}

/** Bytes that are no HTTP request never reach a route. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = toProblem(
    new PlatformError('invalid_request', {
      message: 'This is not an HTTP request that the server can read.',
    }),
  );
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
