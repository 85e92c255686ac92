import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PlatformError } from '@switchyard/contracts';
import type { FastifyRequest } from 'fastify';

/**
 * Bodies of type JSON. One that is empty is none, whatever its headers say: many clients send the type with every
 * request, those without a body too. One that is no JSON is refused in words that repeat nothing of it.
 */
export function parseJsonBodies(app: NestFastifyApplication): void {
  const parse = app.getHttpAdapter().getInstance().getDefaultJsonParser('error', 'error');
  app.useBodyParser('application/json', {}, (request, body, done) => {
    const text = body.toString('utf8');
    if (text === '') return done(null, undefined);
    void parse(request as FastifyRequest, text, (error, value) =>
      error
        ? done(new PlatformError('invalid_request', { message: 'The body is not valid JSON.', cause: error }))
        : done(null, value),
    );
  });
}
