import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '@switchyard/service-kit';
import { z } from 'zod';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { Answers, pageOf } from '../openapi/answers.js';
import {
  ApproveTools,
  IntegrationToolAnswer,
  ListTools,
  ToolChangeAnswer,
  ToolsApproved,
} from './integration-tool.schemas.js';
import type {
  ApproveToolsBody,
  IntegrationToolAnswerBody,
  ListToolsQuery,
  ToolChangeAnswerBody,
  ToolsApprovedBody,
} from './integration-tool.schemas.js';
import { IntegrationToolsService } from './integration-tools.service.js';
import { ToolApprovalsService } from './tool-approvals.service.js';

const integrationId = { schema: ResourceId };
const toolName = { schema: z.string().min(1).max(256).describe('The upstream’s name.') };

@ApiTags('integrations')
@Controller('api/integrations/:id/tools')
export class IntegrationToolsController {
  constructor(
    private readonly tools: IntegrationToolsService,
    private readonly approvals: ToolApprovalsService,
  ) {}

  @Get()
  @Answers({
    summary: 'List the tools of an integration, hidden ones too',
    status: 200,
    schema: pageOf(IntegrationToolAnswer),
    errors: ['not_found', 'invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Param('id', integrationId) id: string,
    @Query({ schema: ListTools }) query: ListToolsQuery,
  ): Promise<Page<IntegrationToolAnswerBody>> {
    return this.tools.list(admin, id, query);
  }

  @Get(':name/change')
  @Answers({
    summary: 'Compare a tool as it is with what was approved',
    status: 200,
    schema: ToolChangeAnswer,
    errors: ['not_found'],
  })
  change(
    @Admin() admin: AdminContext,
    @Param('id', integrationId) id: string,
    @Param('name', toolName) name: string,
  ): Promise<ToolChangeAnswerBody> {
    return this.approvals.change(admin, id, name);
  }

  @Post('approve')
  @HttpCode(200)
  @Answers({
    summary: 'Approve tools of a pinned integration, all that are named or none',
    status: 200,
    schema: ToolsApproved,
    errors: ['not_found', 'conflict', 'invalid_request', 'queue_unavailable', 'deadline_exceeded'],
  })
  approve(
    @Admin() admin: AdminContext,
    @Param('id', integrationId) id: string,
    @Body({ schema: ApproveTools }) body: ApproveToolsBody,
  ): Promise<ToolsApprovedBody> {
    return this.approvals.approve(admin, id, body);
  }
}
