import { Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WithAdmin } from './admin-context.js';
import { AdminKeysService } from './admin-keys.service.js';

const next = 'Admin routes take the admin key as Authorization: Bearer.';

/** Before every route: `Authorization: Bearer <admin key>`, and nothing else opens any of them. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(private readonly keys: AdminKeysService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest & WithAdmin>();
    const key = /^Bearer ([!-~]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    request.admin = key === undefined ? undefined : await this.keys.authenticate(key);
    if (request.admin) return true;
    http.getResponse<FastifyReply>().header('www-authenticate', 'Bearer realm="switchyard-admin"');
    throw new PlatformError('unauthenticated', { message: next });
  }
}
