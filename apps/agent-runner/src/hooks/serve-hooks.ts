import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PlatformError } from '@switchyard/contracts';
import { Log, sendProblem, toPublicError } from '@switchyard/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Deliveries } from './deliveries.service.js';

/** The most that any webhook may take; its own limit is below. */
const mostBytes = 1_000_000;

type Request = FastifyRequest<{ Params: { id: string }; Body: Buffer | undefined }>;

/**
 * `POST /hooks/{id}`. A scope of its own, outside of Nest: a signature is over the very bytes, so no body is parsed here,
 * whatever its type.
 */
export async function serveHooks(app: NestFastifyApplication): Promise<void> {
  const instance = app.getHttpAdapter().getInstance();
  await instance.register((scope: FastifyInstance, _: unknown, done: (error?: Error) => void) => {
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, toPublicError(error), request.id));
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: mostBytes }, (_request, body, parsed) =>
      parsed(null, body),
    );
    scope.post('/hooks/:id', (request, reply) => take(app, request as Request, reply));
    done();
  });
}

/** 202 as soon as the run is durable; 200 and the first run's id for a delivery that came before, and for a greeting its answer. */
async function take(
  app: NestFastifyApplication,
  request: Request,
  reply: FastifyReply,
): Promise<FastifyReply> {
  try {
    const id = z.uuid().safeParse(request.params.id);
    if (!id.success) throw new PlatformError('not_found');
    const delivery = { headers: request.headers, body: request.body ?? Buffer.alloc(0) };
    const taken = await app.get(Deliveries).take(id.data, delivery);
    if ('greeting' in taken) return reply.status(200).send(taken.greeting);
    const { runId, isDuplicate } = taken;
    return reply.status(isDuplicate ? 200 : 202).send({ run_id: runId, duplicate: isDuplicate });
  } catch (thrown) {
    sendProblem(reply, toAnswer(app, thrown), request.id);
    return reply;
  }
}

/** Nothing was recorded, or it was and the delivery is known again: a sender may try again in any case. */
function toAnswer(app: NestFastifyApplication, thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  app.get(Log).error({ err: thrown }, 'a delivery could not be recorded');
  return new PlatformError('dependency_unavailable', { retryAfterMs: 5_000 });
}
