import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { Answers, pageOf } from '../openapi/answers.js';
import {
  CreateVirtualKey,
  ListVirtualKeys,
  NewVirtualKeyAnswer,
  UpdateVirtualKey,
  VirtualKeyAnswer,
} from './virtual-key.schemas.js';
import type {
  CreateVirtualKeyBody,
  ListVirtualKeysQuery,
  NewVirtualKeyAnswerBody,
  UpdateVirtualKeyBody,
  VirtualKeyAnswerBody,
} from './virtual-key.schemas.js';
import { VirtualKeysService } from './virtual-keys.service.js';

const id = { schema: ResourceId };

@ApiTags('virtual keys')
@Controller('api/virtual-keys')
export class VirtualKeysController {
  constructor(private readonly keys: VirtualKeysService) {}

  @Post()
  @Answers({
    summary: 'Make a virtual key, which is shown this once',
    status: 201,
    schema: NewVirtualKeyAnswer,
    errors: ['invalid_request'],
  })
  create(
    @Admin() admin: AdminContext,
    @Body({ schema: CreateVirtualKey }) body: CreateVirtualKeyBody,
  ): Promise<NewVirtualKeyAnswerBody> {
    return this.keys.create(admin, body);
  }

  @Get()
  @Answers({
    summary: 'List virtual keys',
    status: 200,
    schema: pageOf(VirtualKeyAnswer),
    errors: ['invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Query({ schema: ListVirtualKeys }) query: ListVirtualKeysQuery,
  ): Promise<Page<VirtualKeyAnswerBody>> {
    return this.keys.list(admin, query);
  }

  @Get(':id')
  @Answers({ summary: 'Read a virtual key', status: 200, schema: VirtualKeyAnswer, errors: ['not_found'] })
  get(@Admin() admin: AdminContext, @Param('id', id) keyId: string): Promise<VirtualKeyAnswerBody> {
    return this.keys.get(admin, keyId);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change a virtual key',
    status: 200,
    schema: VirtualKeyAnswer,
    errors: ['invalid_request', 'not_found', 'conflict'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('id', id) keyId: string,
    @Body({ schema: UpdateVirtualKey }) body: UpdateVirtualKeyBody,
  ): Promise<VirtualKeyAnswerBody> {
    return this.keys.update(admin, keyId, body);
  }

  @Post(':id/revoke')
  @HttpCode(200)
  @Answers({
    summary: 'Revoke a virtual key for good',
    status: 200,
    schema: VirtualKeyAnswer,
    errors: ['not_found'],
  })
  revoke(@Admin() admin: AdminContext, @Param('id', id) keyId: string): Promise<VirtualKeyAnswerBody> {
    return this.keys.revoke(admin, keyId);
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers({
    summary: 'Revoke a virtual key; its row stays, for the history of its calls',
    status: 204,
    errors: ['not_found'],
  })
  async remove(@Admin() admin: AdminContext, @Param('id', id) keyId: string): Promise<void> {
    await this.keys.revoke(admin, keyId);
  }
}
