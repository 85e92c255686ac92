import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  mixin,
  type Type,
} from '@nestjs/common';
import { type CallerContext, errorCatalog, toPlatformError } from '@switchyard/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { Authenticator } from './authenticator.service.js';
import { resourcePathOf } from '../oauth/resources.js';
import type { Principal } from './principal.js';
import { bearerChallenge, publicOrigin } from './public-url.js';

/** A request that passed `CallerGuard`. */
export type AuthenticatedRequest = FastifyRequest & { principal: Principal };

/** Lets only authenticated requests pass, as calls of the given kind; a 401 carries the challenge. */
export function CallerGuard(runKind: CallerContext['runKind']): Type<CanActivate> {
  @Injectable()
  class RunKindGuard implements CanActivate {
    constructor(
      @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
      private readonly authenticator: Authenticator,
    ) {}

    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
      const origin = publicOrigin(request, this.config.edge.publicUrl);
      const path = resourcePathOf(request.url);
      try {
        const { headersDistinct } = request.raw;
        const resource = isMcpRoute(request) ? (path ?? '') : null;
        request.principal = await this.authenticator.authenticate(headersDistinct, runKind, resource);
        return true;
      } catch (thrown) {
        const error = toPlatformError(thrown);
        if (errorCatalog[error.code].httpStatus === 401) {
          const reply = context.switchToHttp().getResponse<FastifyReply>();
          reply.header('www-authenticate', bearerChallenge(origin, path));
        }
        throw error;
      }
    }
  }
  return mixin(RunKindGuard);
}

/** By the route and not by what somebody wrote: an address that only resembles an endpoint's is one of ours still. */
function isMcpRoute({ routeOptions }: FastifyRequest): boolean {
  return /^\/mcp(\/|$)/.test(routeOptions.url ?? '');
}
