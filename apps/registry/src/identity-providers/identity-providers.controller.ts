import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { ListQuery } from '../http/list-query.js';
import { Answers, pageOf } from '../openapi/answers.js';
import {
  CreateIdentityProvider,
  IdentityProviderAnswer,
  UpdateIdentityProvider,
} from './identity-provider.schemas.js';
import type {
  CreateIdentityProviderBody,
  IdentityProviderAnswerBody,
  UpdateIdentityProviderBody,
} from './identity-provider.schemas.js';
import { IdentityProvidersService } from './identity-providers.service.js';

const id = { schema: ResourceId };

@ApiTags('identity providers')
@Controller('api/identity-providers')
export class IdentityProvidersController {
  constructor(private readonly providers: IdentityProvidersService) {}

  @Post()
  @Answers({
    summary: 'Trust an identity provider: users with its tokens are users of the organization',
    status: 201,
    schema: IdentityProviderAnswer,
    errors: ['invalid_request', 'egress_denied', 'conflict'],
  })
  create(
    @Admin() admin: AdminContext,
    @Body({ schema: CreateIdentityProvider }) body: CreateIdentityProviderBody,
  ): Promise<IdentityProviderAnswerBody> {
    return this.providers.create(admin, body);
  }

  @Get()
  @Answers({
    summary: 'List identity providers',
    status: 200,
    schema: pageOf(IdentityProviderAnswer),
    errors: ['invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Query({ schema: ListQuery }) query: PageQuery,
  ): Promise<Page<IdentityProviderAnswerBody>> {
    return this.providers.list(admin, query);
  }

  @Get(':id')
  @Answers({
    summary: 'Read an identity provider',
    status: 200,
    schema: IdentityProviderAnswer,
    errors: ['not_found'],
  })
  get(
    @Admin() admin: AdminContext,
    @Param('id', id) providerId: string,
  ): Promise<IdentityProviderAnswerBody> {
    return this.providers.get(admin, providerId);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change an identity provider: what the body names',
    status: 200,
    schema: IdentityProviderAnswer,
    errors: ['invalid_request', 'not_found', 'egress_denied', 'conflict'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('id', id) providerId: string,
    @Body({ schema: UpdateIdentityProvider }) body: UpdateIdentityProviderBody,
  ): Promise<IdentityProviderAnswerBody> {
    return this.providers.update(admin, providerId, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers({
    summary: 'Trust an identity provider no longer; its users stay in the list, and its tokens open nothing',
    status: 204,
    errors: ['not_found'],
  })
  remove(@Admin() admin: AdminContext, @Param('id', id) providerId: string): Promise<void> {
    return this.providers.remove(admin, providerId);
  }
}
