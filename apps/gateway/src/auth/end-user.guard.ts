import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import type { FastifyReply } from 'fastify';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import type { AuthenticatedRequest } from './caller.guard.js';
import { bearerChallenge, publicOrigin } from './public-url.js';

/** After `CallerGuard`: lets only users pass who came with a token of their identity provider, no key in their place. */
@Injectable()
export class EndUserGuard implements CanActivate {
  constructor(@Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'edge'>) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (request.principal.userToken) return true;
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    reply.header('www-authenticate', bearerChallenge(publicOrigin(request, this.config.edge.publicUrl)));
    throw new PlatformError('unauthenticated', {
      message: 'This API takes the end user’s own token (Authorization: Bearer), and no virtual key.',
      next: 'Send the end user’s own token as Authorization: Bearer.',
    });
  }
}
