import { parse as parseForm } from 'node:querystring';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PlatformError } from '@switchyard/contracts';
import type { FastifyRequest } from 'fastify';

/** For `RouteConfig` of routes that judge the type of a body by themselves: pages, whose forms browsers send, and MCP. */
export const anyBodyType = { anyBodyType: true } as const;

/**
 * Bodies of another type than JSON. They are refused in words that name the header: what curl sends by itself is called a
 * form, and a form's fields are none of the fields that a route knows. An empty one is none, whatever its type.
 */
export function parseOtherBodies(app: NestFastifyApplication): void {
  // Fastify's own would be asked before ours.
  app.getHttpAdapter().getInstance().removeContentTypeParser('text/plain');
  app.useBodyParser('*', {}, (raw, body, done) => {
    const request = raw as FastifyRequest;
    // What is not there is answered as such, whatever came with the request.
    if (body.length === 0 || request.is404) return done(null, undefined);
    if (!takesAnyType(request)) return done(notJson());
    const text = body.toString('utf8');
    done(null, isForm(request) ? parseForm(text) : text);
  });
}

function takesAnyType({ routeOptions }: FastifyRequest): boolean {
  return (routeOptions.config as Partial<typeof anyBodyType>).anyBodyType ?? false;
}

function isForm({ headers }: FastifyRequest): boolean {
  return /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers['content-type'] ?? '');
}

function notJson(): PlatformError {
  return new PlatformError('invalid_request', {
    message: 'Send the body as JSON, with the header Content-Type: application/json.',
    next: 'Send it again with the header Content-Type: application/json.',
  });
}
