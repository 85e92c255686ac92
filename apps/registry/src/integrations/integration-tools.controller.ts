import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { Answers, pageOf } from '../openapi/answers.js';
import { IntegrationToolAnswer, ListTools } from './integration-tool.schemas.js';
import type { IntegrationToolAnswerBody, ListToolsQuery } from './integration-tool.schemas.js';
import { IntegrationToolsService } from './integration-tools.service.js';

@ApiTags('integrations')
@Controller('api/integrations/:id/tools')
export class IntegrationToolsController {
  constructor(private readonly tools: IntegrationToolsService) {}

  @Get()
  @Answers({
    summary: 'List the tools of an integration, hidden ones too',
    status: 200,
    schema: pageOf(IntegrationToolAnswer),
    errors: ['not_found', 'invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Param('id', { schema: ResourceId }) id: string,
    @Query({ schema: ListTools }) query: ListToolsQuery,
  ): Promise<Page<IntegrationToolAnswerBody>> {
    return this.tools.list(admin, id, query);
  }
}
