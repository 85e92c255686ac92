import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PlatformError } from '@switchyard/contracts';
import { sendProblem, toPublicError } from '@switchyard/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Admission, type Door } from './admission.service.js';
import { AuthorizationServer } from './authorization-server.service.js';
import { paths } from './provider-configuration.js';

/** What all may read, as often as they like, is at no door. */
const routes: readonly (readonly ['GET' | 'POST', string, Door | null])[] = [
  ['GET', '/.well-known/oauth-authorization-server', null],
  // Where clients look that know OpenID Connect's way alone.
  ['GET', '/.well-known/openid-configuration', null],
  ['GET', paths.authorization, 'authorization'],
  ['GET', `${paths.authorization}/:uid`, 'authorization'],
  ['POST', paths.token, 'token'],
  ['POST', paths.registration, 'registration'],
  ['POST', paths.revocation, 'token'],
  ['GET', paths.jwks, null],
];

/** Hands the authorization server's own paths to oidc-provider, which reads bodies and writes answers by itself. */
export async function mountOAuth(app: NestFastifyApplication): Promise<void> {
  const [server, admission] = [app.get(AuthorizationServer), app.get(Admission)];
  const instance = app.getHttpAdapter().getInstance();
  await instance.register((scope: FastifyInstance, _: unknown, done: (error?: Error) => void) => {
    scope.setErrorHandler((error, request, reply) => sendProblem(reply, toPublicError(error), request.id));
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    for (const [method, url, door] of routes) {
      const admit = async (request: FastifyRequest) => door && admission.admit(request, door);
      scope.route({ method, url, handler: (request, reply) => answer(server, { request, reply, admit }) });
    }
    done();
  });
}

type Asked = {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly admit: (request: FastifyRequest) => Promise<unknown>;
};

async function answer(server: AuthorizationServer, { request, reply, admit }: Asked): Promise<void> {
  const provider = await server.provider();
  if (!provider) throw new PlatformError('not_found');
  await admit(request);
  reply.hijack();
  await server.handle(provider, request, reply.raw);
}
