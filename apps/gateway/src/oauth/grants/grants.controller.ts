import { Controller, Delete, Get, HttpCode, Param, Query, Req } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { decodeCursor, PageQuery, parseQuery, toPage } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { GrantCallers } from './grant-callers.service.js';
import { GrantsRepository, type ListedGrant } from './grants.repository.js';
import { GrantsService } from './grants.service.js';

/** What users allowed MCP clients: seen and ended by themselves, and by admins of their organization. */
@Controller('api/oauth/grants')
export class GrantsController {
  constructor(
    private readonly callers: GrantCallers,
    private readonly rows: GrantsRepository,
    private readonly grants: GrantsService,
  ) {}

  @Get()
  async list(@Req() request: FastifyRequest, @Query() query: unknown) {
    const { owner } = await this.callers.authenticate(request);
    const { limit, cursor } = parseQuery(PageQuery, query);
    const after = cursor === undefined ? null : decodeCursor(z.uuid(), cursor);
    const rows = await this.rows.list(owner, { after, limit: limit + 1 });
    return toPage(rows, limit, { item: toAnswer, position: ({ id }) => id });
  }

  @Delete(':id')
  @HttpCode(204)
  async revoke(@Req() request: FastifyRequest, @Param('id') id: string): Promise<void> {
    const { owner, isAdmin } = await this.callers.authenticate(request);
    const isKnown =
      z.uuid().safeParse(id).success && (await this.grants.revoke(id, isAdmin ? 'admin' : 'user', owner));
    if (!isKnown) throw new PlatformError('not_found');
  }
}

function toAnswer(grant: ListedGrant) {
  return {
    id: grant.id,
    user_id: grant.userId,
    user_name: grant.userName,
    client_id: grant.clientId,
    client_name: grant.clientName,
    client_verified_by: grant.clientHost,
    redirect_uri: grant.redirectUri,
    resource: grant.resource,
    integration_ids: grant.integrationIds,
    created_at: grant.createdAt,
    last_used_at: grant.lastUsedAt,
    expires_at: grant.expiresAt,
  };
}
