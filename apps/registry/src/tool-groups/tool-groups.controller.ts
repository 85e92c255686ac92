import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { ListQuery } from '../http/list-query.js';
import { Answers, pageOf } from '../openapi/answers.js';
import {
  CreateToolGroup,
  GroupedToolAnswer,
  ToolGroupAnswer,
  UpdateToolGroup,
} from './tool-group.schemas.js';
import type {
  CreateToolGroupBody,
  GroupedToolAnswerBody,
  ToolGroupAnswerBody,
  UpdateToolGroupBody,
} from './tool-group.schemas.js';
import { ToolGroupsService } from './tool-groups.service.js';

const id = { schema: ResourceId };

@ApiTags('policies')
@Controller('api/tool-groups')
export class ToolGroupsController {
  constructor(private readonly groups: ToolGroupsService) {}

  @Post()
  @Answers({
    summary: 'Name a set of tools, for policies to speak of',
    status: 201,
    schema: ToolGroupAnswer,
    errors: ['invalid_request'],
  })
  create(
    @Admin() admin: AdminContext,
    @Body({ schema: CreateToolGroup }) body: CreateToolGroupBody,
  ): Promise<ToolGroupAnswerBody> {
    return this.groups.create(admin, body);
  }

  @Get()
  @Answers({
    summary: 'List tool groups',
    status: 200,
    schema: pageOf(ToolGroupAnswer),
    errors: ['invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Query({ schema: ListQuery }) query: PageQuery,
  ): Promise<Page<ToolGroupAnswerBody>> {
    return this.groups.list(admin, query);
  }

  @Get(':id')
  @Answers({ summary: 'Read a tool group', status: 200, schema: ToolGroupAnswer, errors: ['not_found'] })
  get(@Admin() admin: AdminContext, @Param('id', id) groupId: string): Promise<ToolGroupAnswerBody> {
    return this.groups.get(admin, groupId);
  }

  @Get(':id/tools')
  @Answers({
    summary: 'List the tools that are in a group now',
    status: 200,
    schema: pageOf(GroupedToolAnswer),
    errors: ['not_found', 'invalid_request'],
  })
  tools(
    @Admin() admin: AdminContext,
    @Param('id', id) groupId: string,
    @Query({ schema: ListQuery }) query: PageQuery,
  ): Promise<Page<GroupedToolAnswerBody>> {
    return this.groups.tools(admin, groupId, query);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change a tool group: what the body names',
    status: 200,
    schema: ToolGroupAnswer,
    errors: ['invalid_request', 'not_found'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('id', id) groupId: string,
    @Body({ schema: UpdateToolGroup }) body: UpdateToolGroupBody,
  ): Promise<ToolGroupAnswerBody> {
    return this.groups.update(admin, groupId, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers({
    summary: 'Remove a tool group of which no policy speaks',
    status: 204,
    errors: ['not_found', 'conflict'],
  })
  remove(@Admin() admin: AdminContext, @Param('id', id) groupId: string): Promise<void> {
    return this.groups.remove(admin, groupId);
  }
}
