import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { sendProblem, toPublicError } from '@switchyard/service-kit';

/** The web handler of request shape 001. */
export const approvalsPath = 'api/chat/approvals';

/** Its clients read text, and of a body that is no JSON the controller never hears. Call it before the routes are made. */
export function answerUnreadBodies(app: NestFastifyApplication): void {
  const instance = app.getHttpAdapter().getInstance();
  instance.addHook('onRoute', (route) => {
    if (route.url !== `/${approvalsPath}`) return;
    route.errorHandler = (thrown, request, reply) => {
      const error = toPublicError(thrown);
      if (error.code !== 'invalid_request') return sendProblem(reply, error, request.id);
      void reply.code(400).type('text/plain; charset=utf-8').send('Invalid request');
    };
  });
}
