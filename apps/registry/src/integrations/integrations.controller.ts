import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { Answers, pageOf } from '../openapi/answers.js';
import {
  CreateIntegration,
  IntegrationAnswer,
  ListIntegrations,
  UpdateIntegration,
} from './integration.schemas.js';
import type {
  CreateIntegrationBody,
  IntegrationAnswerBody,
  ListIntegrationsQuery,
  UpdateIntegrationBody,
} from './integration.schemas.js';
import { IntegrationsService } from './integrations.service.js';

const id = { schema: ResourceId };

@ApiTags('integrations')
@Controller('api/integrations')
export class IntegrationsController {
  constructor(private readonly integrations: IntegrationsService) {}

  @Post()
  @Answers({
    summary: 'Register an upstream MCP server',
    status: 201,
    schema: IntegrationAnswer,
    errors: [
      'invalid_request',
      'forbidden',
      'slug_taken',
      'egress_denied',
      'stdio_not_allowed',
      'dependency_unavailable',
      'queue_unavailable',
    ],
  })
  create(
    @Admin() admin: AdminContext,
    @Body({ schema: CreateIntegration }) body: CreateIntegrationBody,
  ): Promise<IntegrationAnswerBody> {
    return this.integrations.create(admin, body);
  }

  @Get()
  @Answers({
    summary: 'List integrations',
    status: 200,
    schema: pageOf(IntegrationAnswer),
    errors: ['invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Query({ schema: ListIntegrations }) query: ListIntegrationsQuery,
  ): Promise<Page<IntegrationAnswerBody>> {
    return this.integrations.list(admin, query);
  }

  @Get(':id')
  @Answers({
    summary: 'Read an integration and its state',
    status: 200,
    schema: IntegrationAnswer,
    errors: ['not_found'],
  })
  get(@Admin() admin: AdminContext, @Param('id', id) integrationId: string): Promise<IntegrationAnswerBody> {
    return this.integrations.get(admin, integrationId);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change an integration: what the body names; headers and env replace the whole set',
    status: 200,
    schema: IntegrationAnswer,
    errors: [
      'invalid_request',
      'not_found',
      'conflict',
      'egress_denied',
      'stdio_not_allowed',
      'dependency_unavailable',
      'queue_unavailable',
    ],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('id', id) integrationId: string,
    @Body({ schema: UpdateIntegration }) body: UpdateIntegrationBody,
  ): Promise<IntegrationAnswerBody> {
    return this.integrations.update(admin, integrationId, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers({
    summary: 'Remove an integration and its stored values',
    status: 204,
    errors: ['not_found', 'conflict', 'dependency_unavailable', 'queue_unavailable'],
  })
  remove(@Admin() admin: AdminContext, @Param('id', id) integrationId: string): Promise<void> {
    return this.integrations.remove(admin, integrationId);
  }
}
