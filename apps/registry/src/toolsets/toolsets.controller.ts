import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { ListQuery } from '../http/list-query.js';
import { Answers, pageOf } from '../openapi/answers.js';
import { CreateToolset, ToolsetAnswer, UpdateToolset } from './toolset.schemas.js';
import type { CreateToolsetBody, ToolsetAnswerBody, UpdateToolsetBody } from './toolset.schemas.js';
import { ToolsetsService } from './toolsets.service.js';

const id = { schema: ResourceId };

@ApiTags('toolsets')
@Controller('api/toolsets')
export class ToolsetsController {
  constructor(private readonly toolsets: ToolsetsService) {}

  @Post()
  @Answers({
    summary: 'Bundle tools at an address of their own, /mcp/{slug}',
    status: 201,
    schema: ToolsetAnswer,
    errors: ['invalid_request', 'slug_taken'],
  })
  create(
    @Admin() admin: AdminContext,
    @Body({ schema: CreateToolset }) body: CreateToolsetBody,
  ): Promise<ToolsetAnswerBody> {
    return this.toolsets.create(admin, body);
  }

  @Get()
  @Answers({
    summary: 'List toolsets',
    status: 200,
    schema: pageOf(ToolsetAnswer),
    errors: ['invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Query({ schema: ListQuery }) query: PageQuery,
  ): Promise<Page<ToolsetAnswerBody>> {
    return this.toolsets.list(admin, query);
  }

  @Get(':id')
  @Answers({ summary: 'Read a toolset', status: 200, schema: ToolsetAnswer, errors: ['not_found'] })
  get(@Admin() admin: AdminContext, @Param('id', id) toolsetId: string): Promise<ToolsetAnswerBody> {
    return this.toolsets.get(admin, toolsetId);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change a toolset: what the body names',
    status: 200,
    schema: ToolsetAnswer,
    errors: ['invalid_request', 'not_found'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('id', id) toolsetId: string,
    @Body({ schema: UpdateToolset }) body: UpdateToolsetBody,
  ): Promise<ToolsetAnswerBody> {
    return this.toolsets.update(admin, toolsetId, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers({
    summary: 'Remove a toolset, its address and what it grants',
    status: 204,
    errors: ['not_found'],
  })
  remove(@Admin() admin: AdminContext, @Param('id', id) toolsetId: string): Promise<void> {
    return this.toolsets.remove(admin, toolsetId);
  }
}
