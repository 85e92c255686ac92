import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import { PlatformError, toPlatformError } from '@switchyard/contracts';
import type { ApiCaller, ApiUser } from '@switchyard/identity';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiCallersService } from './callers.service.js';

type WithCaller = { apiCaller?: ApiCaller };

/** Before every route of this service that is for users and admins. */
@Injectable()
export class CallerGuard implements CanActivate {
  constructor(private readonly callers: ApiCallersService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest & WithCaller>();
    try {
      request.apiCaller = await this.callers.authenticate(request);
      return true;
    } catch (thrown) {
      const { code } = toPlatformError(thrown);
      if (code === 'unauthenticated' || code === 'token_expired')
        http.getResponse<FastifyReply>().header('www-authenticate', challengeFor(request));
      throw thrown;
    }
  }
}

/** The caller of the request, as the guard found it. */
export const Caller = createParamDecorator((_data: unknown, context: ExecutionContext) => callerOf(context));

/** The user of the request. Throws `forbidden` for an admin key: nobody in person chats by it. */
export const User = createParamDecorator((_data: unknown, context: ExecutionContext): ApiUser => {
  const caller = callerOf(context);
  if (caller.kind === 'user') return caller;
  throw new PlatformError('forbidden', { message: 'Chats belong to users: call with a user’s own token.' });
});

function callerOf(context: ExecutionContext): ApiCaller {
  const { apiCaller } = context.switchToHttp().getRequest<FastifyRequest & WithCaller>();
  if (!apiCaller) throw new Error('a route without its guard');
  return apiCaller;
}

/** RFC 6750, section 3: what did not come is not invalid. */
function challengeFor({ headers }: FastifyRequest): string {
  const realm = 'Bearer realm="switchyard"';
  return headers.authorization === undefined ? realm : `${realm}, error="invalid_token"`;
}
