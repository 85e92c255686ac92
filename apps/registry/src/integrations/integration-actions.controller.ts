import { Body, Controller, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { Answers } from '../openapi/answers.js';
import { BreakerResetAnswer, ReconnectAnswer, SyncAnswer, SyncQuery } from './integration-action.schemas.js';
import type {
  BreakerResetAnswerBody,
  ReconnectAnswerBody,
  SyncAnswerBody,
  SyncOptions,
} from './integration-action.schemas.js';
import { IntegrationActionsService } from './integration-actions.service.js';
import { DiscoverOAuth, OAuthDiscoveryOutcome } from './oauth-discovery.schemas.js';
import type { DiscoverOAuthBody, OAuthDiscoveryBody } from './oauth-discovery.schemas.js';
import { OAuthDiscoveryService } from './oauth-discovery.service.js';

const id = { schema: ResourceId };
const idOrSlug = { schema: z.string().min(1).max(64).describe('Id or slug.') };

@ApiTags('integrations')
@Controller('api')
export class IntegrationActionsController {
  constructor(
    private readonly actions: IntegrationActionsService,
    private readonly discovery: OAuthDiscoveryService,
  ) {}

  @Post('integrations/discover')
  @HttpCode(200)
  @Answers({
    summary: 'Ask an MCP server how it wants to be authorized, to fill in a registration; nothing is stored',
    status: 200,
    schema: OAuthDiscoveryOutcome,
    errors: [
      'invalid_request',
      'egress_denied',
      'authorization_server_unavailable',
      'upstream_unreachable',
      'upstream_protocol_error',
      'queue_unavailable',
    ],
  })
  discover(
    @Admin() admin: AdminContext,
    @Body({ schema: DiscoverOAuth }) body: DiscoverOAuthBody,
  ): Promise<OAuthDiscoveryBody> {
    return this.discovery.discover(admin, body);
  }

  @Post('integrations/:id/sync')
  @HttpCode(202)
  @Answers({
    summary: 'Bring the tools up to date now (with `wait=true`: 200 and the outcome)',
    status: 202,
    schema: SyncAnswer,
    errors: ['not_found', 'conflict', 'invalid_request', 'queue_unavailable', 'deadline_exceeded'],
  })
  async sync(
    @Admin() admin: AdminContext,
    @Param('id', id) integrationId: string,
    @Query({ schema: SyncQuery }) query: SyncOptions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SyncAnswerBody> {
    const answer = await this.actions.sync(admin, integrationId, query);
    if (query.wait) void reply.code(200);
    return answer;
  }

  @Post('integrations/:id/breaker/reset')
  @HttpCode(202)
  @Answers({
    summary: 'Close the circuit breaker',
    status: 202,
    schema: BreakerResetAnswer,
    errors: ['not_found', 'queue_unavailable'],
  })
  resetBreaker(
    @Admin() admin: AdminContext,
    @Param('id', id) integrationId: string,
  ): Promise<BreakerResetAnswerBody> {
    return this.actions.resetBreaker(admin, integrationId);
  }

  @Post('mcp/client/:id/reconnect')
  @HttpCode(202)
  @Answers({
    summary: 'Connect anew, by id or slug',
    status: 202,
    schema: ReconnectAnswer,
    errors: ['not_found', 'conflict', 'queue_unavailable'],
  })
  reconnect(@Admin() admin: AdminContext, @Param('id', idOrSlug) name: string): Promise<ReconnectAnswerBody> {
    return this.actions.reconnect(admin, name);
  }
}
