import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  mixin,
  type Type,
} from '@nestjs/common';
import { type CallerContext, errorCatalog, PlatformError, toPlatformError } from '@switchyard/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { Authenticator } from './authenticator.service.js';
import { resourcePathOf } from '../oauth/resources.js';
import type { Principal } from './principal.js';
import { bearerChallenge, publicOrigin } from './public-url.js';

/** A request that passed `CallerGuard`. */
export type AuthenticatedRequest = FastifyRequest & { principal: Principal };

/** What to do where a virtual key is of no use. */
const adviceWithoutKeys = {
  user_token: 'Send the end user’s own token as Authorization: Bearer.',
  oauth: 'Connect by OAuth: WWW-Authenticate names the metadata of this resource.',
};

/**
 * Lets only authenticated requests pass, as calls of the given kind; a 401 carries the challenge. `takes` is for what
 * it says to callers: keys are refused by whoever stands behind.
 */
export function CallerGuard(
  runKind: CallerContext['runKind'],
  takes: 'any' | 'user_token' = 'any',
): Type<CanActivate> {
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
        throw advised(error, this.#takes(request));
      }
    }

    #takes(request: AuthenticatedRequest): typeof takes | 'oauth' {
      return isMcpRoute(request) && this.config.oauth.mode === 'oauth' ? 'oauth' : takes;
    }
  }
  return mixin(RunKindGuard);
}

/** The same error; where no virtual key is taken, without the catalog's advice to send one. */
function advised(error: PlatformError, takes: 'any' | keyof typeof adviceWithoutKeys): PlatformError {
  if (takes === 'any' || error.code !== 'unauthenticated') return error;
  const advice = new PlatformError(error.code, { next: adviceWithoutKeys[takes], details: error.details });
  advice.message = error.message;
  return advice;
}

/** By the route and not by what somebody wrote: an address that only resembles an endpoint's is one of ours still. */
function isMcpRoute({ routeOptions }: FastifyRequest): boolean {
  return /^\/mcp(\/|$)/.test(routeOptions.url ?? '');
}
