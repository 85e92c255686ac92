import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { ListQuery } from '../http/list-query.js';
import { Answers, pageOf } from '../openapi/answers.js';
import { PoliciesService } from './policies.service.js';
import {
  CreatePolicy,
  PolicyAnswer,
  PolicyPreview,
  PreviewPolicies,
  UpdatePolicy,
} from './policy.schemas.js';
import type {
  CreatePolicyBody,
  PolicyAnswerBody,
  PolicyPreviewBody,
  PreviewPoliciesBody,
  UpdatePolicyBody,
} from './policy.schemas.js';

const id = { schema: ResourceId };

@ApiTags('policies')
@Controller('api/policies')
export class PoliciesController {
  constructor(private readonly policies: PoliciesService) {}

  @Post()
  @Answers({
    summary: 'Grant tools to signed-in users, or deny them, by their roles and claims',
    status: 201,
    schema: PolicyAnswer,
    errors: ['invalid_request'],
  })
  create(
    @Admin() admin: AdminContext,
    @Body({ schema: CreatePolicy }) body: CreatePolicyBody,
  ): Promise<PolicyAnswerBody> {
    return this.policies.create(admin, body);
  }

  @Get()
  @Answers({
    summary: 'List policies',
    status: 200,
    schema: pageOf(PolicyAnswer),
    errors: ['invalid_request'],
  })
  list(
    @Admin() admin: AdminContext,
    @Query({ schema: ListQuery }) query: PageQuery,
  ): Promise<Page<PolicyAnswerBody>> {
    return this.policies.list(admin, query);
  }

  @Post('preview')
  @HttpCode(200)
  @Answers({
    summary: 'Ask what a user with such claims and roles would have; nothing is stored',
    status: 200,
    schema: PolicyPreview,
    errors: ['invalid_request'],
  })
  preview(
    @Admin() admin: AdminContext,
    @Body({ schema: PreviewPolicies }) body: PreviewPoliciesBody,
  ): Promise<PolicyPreviewBody> {
    return this.policies.preview(admin, body);
  }

  @Get(':id')
  @Answers({ summary: 'Read a policy', status: 200, schema: PolicyAnswer, errors: ['not_found'] })
  get(@Admin() admin: AdminContext, @Param('id', id) policyId: string): Promise<PolicyAnswerBody> {
    return this.policies.get(admin, policyId);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change a policy: what the body names',
    status: 200,
    schema: PolicyAnswer,
    errors: ['invalid_request', 'not_found'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('id', id) policyId: string,
    @Body({ schema: UpdatePolicy }) body: UpdatePolicyBody,
  ): Promise<PolicyAnswerBody> {
    return this.policies.update(admin, policyId, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers({ summary: 'Remove a policy, and what it grants or denies', status: 204, errors: ['not_found'] })
  remove(@Admin() admin: AdminContext, @Param('id', id) policyId: string): Promise<void> {
    return this.policies.remove(admin, policyId);
  }
}
