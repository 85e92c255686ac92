import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { PlatformError, toPlatformError } from '@switchyard/contracts';
import { bearerJwt } from '@switchyard/identity';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AdminContext, WithAdmin } from './admin-context.js';
import { AdminKeysService } from './admin-keys.service.js';
import { AdminUsersService } from './admin-users.service.js';
import { RefusalsService } from './refusals.service.js';

const next =
  'Admin routes take the admin key, or the token of a user with an admin’s role, as Authorization: Bearer.';
const realm = 'Bearer realm="switchyard-admin"';

/** Before every route: `Authorization: Bearer <admin key or user's JWT>`, and nothing else opens any of them. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(
    private readonly keys: AdminKeysService,
    private readonly users: AdminUsersService,
    private readonly refusals: RefusalsService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest & WithAdmin>();
    try {
      request.admin = await this.authenticate(request);
      return true;
    } catch (thrown) {
      const error = toPlatformError(thrown);
      if (error.code === 'unauthenticated' || error.code === 'token_expired')
        http.getResponse<FastifyReply>().header('www-authenticate', challengeFor(request));
      throw error;
    }
  }

  /** A JWT is judged as one and as nothing else, so that its refusal says what is wrong with it. */
  private async authenticate(request: FastifyRequest): Promise<AdminContext> {
    const { authorization } = request.headers;
    const key = /^Bearer ([!-~]+)$/i.exec(authorization ?? '')?.[1];
    const admin = key === undefined ? undefined : await this.keys.authenticate(key);
    if (admin) return admin;
    if (bearerJwt({ headers: { authorization } }) !== undefined) return this.users.authenticate(request);
    const error = new PlatformError('unauthenticated', { message: next });
    if (authorization !== undefined) this.refusals.note(error.code, request);
    throw error;
  }
}

/** RFC 6750, section 3: what did not come is not invalid. */
function challengeFor({ headers }: FastifyRequest): string {
  return headers.authorization === undefined ? realm : `${realm}, error="invalid_token"`;
}
