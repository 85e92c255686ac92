import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PlatformError } from '@switchyard/contracts';
import { sendProblem, toPublicError } from '@switchyard/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AuthorizationServer } from './authorization-server.service.js';
import { paths } from './provider-configuration.js';

const routes = [
  ['GET', '/.well-known/oauth-authorization-server'],
  // Where clients look that know OpenID Connect's way alone.
  ['GET', '/.well-known/openid-configuration'],
  ['GET', paths.authorization],
  ['GET', `${paths.authorization}/:uid`],
  ['POST', paths.token],
  ['POST', paths.registration],
  ['POST', paths.revocation],
  ['GET', paths.jwks],
] as const;

/** Hands the authorization server's own paths to oidc-provider, which reads bodies and writes answers by itself. */
export async function mountOAuth(app: NestFastifyApplication): Promise<void> {
  const server = app.get(AuthorizationServer);
  const instance = app.getHttpAdapter().getInstance();
  await instance.register((scope: FastifyInstance, _: unknown, done: (error?: Error) => void) => {
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, toPublicError(error), request.id));
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    for (const [method, url] of routes)
      scope.route({ method, url, handler: (request, reply) => answer(server, request, reply) });
    done();
  });
}

async function answer(
  server: AuthorizationServer,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const provider = await server.provider();
  if (!provider) throw new PlatformError('not_found');
  await server.admit(request);
  reply.hijack();
  await server.handle(provider, request, reply.raw);
}
