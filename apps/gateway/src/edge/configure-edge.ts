import type { Readable } from 'node:stream';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PlatformError } from '@switchyard/contracts';
import { anyBodyType, sendProblem } from '@switchyard/service-kit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EdgeConfig } from '../config.js';
import { answerPreflight, allowOrigin, isPreflight } from './cors.js';
import { drainConnections } from './drain-connections.js';
import { HostOriginCheck } from './host-origin.js';
import { parseJson } from './parse-json.js';

/** Longer than any load balancer keeps an idle connection, so that it is never we who close under a request. */
const keepAliveTimeoutMs = 75_000;

/** Routes whose handler wants the JSON body as text, because it answers malformed JSON, and other types, in a form of its own. */
export const rawJsonBody = { rawJson: true, ...anyBodyType } as const;

/** Sets up what every request passes before it reaches a route: Host and Origin, time and size of the body. */
export function configureEdge(app: NestFastifyApplication, config: EdgeConfig): void {
  const instance = app.getHttpAdapter().getInstance();
  const check = new HostOriginCheck(config);
  instance.addHook('onRequest', (request, reply, done) => guard(check, request, reply, done));
  instance.addHook('preParsing', (request, reply, payload, done) => {
    limitTime(request, reply, { payload: payload as Readable, timeoutMs: config.bodyTimeoutMs });
    done(null, payload);
  });
  addJsonParser(app, config);
  const server = app.getHttpServer();
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.headersTimeout = config.bodyTimeoutMs;
  // Covers only the time in which a request arrives; answers and event streams take as long as they take.
  server.requestTimeout = config.bodyTimeoutMs * 2;
  const letGo = drainConnections(server);
  instance.addHook('preClose', (done) => {
    letGo();
    done();
  });
}

function guard(check: HostOriginCheck, request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const { host, origin } = request.headers;
  if (!check.allowsHost(host)) {
    sendProblem(reply, new PlatformError('host_not_allowed'), request.id);
  } else if (!check.allowsOrigin(origin)) {
    sendProblem(reply, new PlatformError('origin_not_allowed'), request.id);
  } else if (origin !== undefined && isPreflight(request)) {
    answerPreflight(reply, origin);
  } else {
    if (origin !== undefined) allowOrigin(reply, origin);
    done();
  }
}

/** The server's own limit is only looked at every 30 s; this one holds to the second. */
function limitTime(
  request: FastifyRequest,
  reply: FastifyReply,
  body: { payload: Readable; timeoutMs: number },
): void {
  const timer = setTimeout(() => {
    // A body that nobody reads never ends, though it is there: that of a GET for instance.
    if (request.raw.complete) return;
    reply.raw.once('finish', () => request.raw.destroy());
    reply.header('connection', 'close');
    const message = `The body did not arrive within ${body.timeoutMs} ms.`;
    sendProblem(reply, new PlatformError('invalid_request', { message }), request.id);
  }, body.timeoutMs);
  const arrived = () => clearTimeout(timer);
  body.payload.once('end', arrived).once('close', arrived).once('error', arrived);
}

function addJsonParser(app: NestFastifyApplication, config: EdgeConfig): void {
  const options = { bodyLimit: config.bodyLimitBytes };
  app.useBodyParser('application/json', options, (request, body, done) => {
    const text = body.toString('utf8');
    if ((request.routeOptions.config as Partial<typeof rawJsonBody>).rawJson) return done(null, text);
    if (text === '') return done(null, undefined);
    const parsed = parseJson(text, config.json);
    if (parsed.ok) return done(null, parsed.value);
    done(new PlatformError('invalid_request', { message: parsed.problem }));
  });
}
