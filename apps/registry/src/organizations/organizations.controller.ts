import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { ListQuery } from '../http/list-query.js';
import { Answers, pageOf } from '../openapi/answers.js';
import {
  AdminKeyAnswer,
  CreateOrganization,
  OrganizationAnswer,
  UpdateOrganization,
} from './organization.schemas.js';
import type {
  AdminKeyAnswerBody,
  CreateOrganizationBody,
  OrganizationAnswerBody,
  UpdateOrganizationBody,
} from './organization.schemas.js';
import { OrganizationsService } from './organizations.service.js';

@ApiTags('organizations')
@Controller('api/organizations')
export class OrganizationsController {
  constructor(private readonly organizations: OrganizationsService) {}

  @Get()
  @Answers({
    summary: 'List organizations (operator)',
    status: 200,
    schema: pageOf(OrganizationAnswer),
    errors: ['forbidden', 'invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Query({ schema: ListQuery }) query: PageQuery,
  ): Promise<Page<OrganizationAnswerBody>> {
    return this.organizations.list(admin, query);
  }

  @Post()
  @Answers({
    summary: 'Create an organization and its admin key (operator)',
    status: 201,
    schema: AdminKeyAnswer,
    errors: ['forbidden', 'invalid_request', 'slug_taken'],
  })
  create(
    @Admin() admin: AdminContext,
    @Body({ schema: CreateOrganization }) body: CreateOrganizationBody,
  ): Promise<AdminKeyAnswerBody> {
    return this.organizations.create(admin, body);
  }

  @Get(':id')
  @Answers({
    summary: 'Read an organization',
    status: 200,
    schema: OrganizationAnswer,
    errors: ['not_found'],
  })
  get(
    @Admin() admin: AdminContext,
    @Param('id', { schema: ResourceId }) id: string,
  ): Promise<OrganizationAnswerBody> {
    return this.organizations.get(admin, id);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change an organization: what the body names',
    status: 200,
    schema: OrganizationAnswer,
    errors: ['not_found', 'invalid_request'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('id', { schema: ResourceId }) id: string,
    @Body({ schema: UpdateOrganization }) body: UpdateOrganizationBody,
  ): Promise<OrganizationAnswerBody> {
    return this.organizations.update(admin, id, body);
  }

  @Post(':id/admin-key')
  @HttpCode(200)
  @Answers({
    summary: 'Replace the organization’s admin key',
    status: 200,
    schema: AdminKeyAnswer,
    errors: ['not_found'],
  })
  rotateAdminKey(
    @Admin() admin: AdminContext,
    @Param('id', { schema: ResourceId }) id: string,
  ): Promise<AdminKeyAnswerBody> {
    return this.organizations.rotateAdminKey(admin, id);
  }
}
