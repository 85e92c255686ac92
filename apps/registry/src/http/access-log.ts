import { Log } from '@switchyard/service-kit';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { WithAdmin } from '../admin/admin-context.js';

/** One line for each request: who did what, how it ended. Routes as patterns; no body, no query, no header. */
export function writeAccessLog(app: NestFastifyApplication): void {
  const log = app.get(Log);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request: FastifyRequest & WithAdmin, reply, done) => {
      const { admin, method, routeOptions } = request;
      log.info(
        {
          method,
          route: routeOptions.url ?? 'none',
          status: reply.statusCode,
          ms: Math.round(reply.elapsedTime),
          orgId: admin?.orgId,
          isOperator: admin?.isOperator,
          userId: admin?.actor.id ?? undefined,
        },
        'request',
      );
      done();
    });
}
