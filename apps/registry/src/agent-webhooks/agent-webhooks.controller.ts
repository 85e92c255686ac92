import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page, PageQuery } from '@switchyard/service-kit';
import { Admin } from '../admin/admin-context.js';
import type { AdminContext } from '../admin/admin-context.js';
import { ResourceId } from '../http/fields.js';
import { ListQuery } from '../http/list-query.js';
import { Answers, pageOf } from '../openapi/answers.js';
import {
  CreateWebhook,
  NewWebhookAnswer,
  RotateSecret,
  UpdateWebhook,
  WebhookAnswer,
} from './agent-webhook.schemas.js';
import type {
  CreateWebhookBody,
  NewWebhookAnswerBody,
  RotateSecretBody,
  UpdateWebhookBody,
  WebhookAnswerBody,
} from './agent-webhook.schemas.js';
import { AgentWebhooksService } from './agent-webhooks.service.js';

const id = { schema: ResourceId };

@ApiTags('agents')
@Controller('api/agents/:agentId/webhooks')
export class AgentWebhooksController {
  constructor(private readonly webhooks: AgentWebhooksService) {}

  @Post()
  @Answers({
    summary: 'Run an agent by deliveries to /hooks/{id}; a secret that is made here is shown this once',
    status: 201,
    schema: NewWebhookAnswer,
    errors: ['invalid_request', 'not_found'],
  })
  create(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Body({ schema: CreateWebhook }) body: CreateWebhookBody,
  ): Promise<NewWebhookAnswerBody> {
    return this.webhooks.create(admin, agentId, body);
  }

  @Get()
  @Answers({
    summary: 'List an agent’s webhooks',
    status: 200,
    schema: pageOf(WebhookAnswer),
    errors: ['invalid_request', 'not_found'],
  })
  list(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Query({ schema: ListQuery }) query: PageQuery,
  ): Promise<Page<WebhookAnswerBody>> {
    return this.webhooks.list(admin, agentId, query);
  }

  @Get(':id')
  @Answers({ summary: 'Read a webhook', status: 200, schema: WebhookAnswer, errors: ['not_found'] })
  get(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) webhookId: string,
  ): Promise<WebhookAnswerBody> {
    return this.webhooks.get(admin, agentId, webhookId);
  }

  @Patch(':id')
  @Answers({
    summary: 'Change a webhook: what the body names',
    status: 200,
    schema: WebhookAnswer,
    errors: ['invalid_request', 'not_found'],
  })
  update(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) webhookId: string,
    @Body({ schema: UpdateWebhook }) body: UpdateWebhookBody,
  ): Promise<WebhookAnswerBody> {
    return this.webhooks.update(admin, agentId, { id: webhookId, body });
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @Answers({
    summary: 'Give a webhook a new secret; the one before holds until it is dropped or rotated out',
    status: 200,
    schema: NewWebhookAnswer,
    errors: ['invalid_request', 'not_found'],
  })
  rotate(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) webhookId: string,
    @Body({ schema: RotateSecret }) body: RotateSecretBody,
  ): Promise<NewWebhookAnswerBody> {
    return this.webhooks.rotate(admin, agentId, { id: webhookId, body });
  }

  @Delete(':id/previous-secret')
  @HttpCode(204)
  @Answers({
    summary: 'End a rotation: deliveries signed by the secret before are refused',
    status: 204,
    errors: ['not_found'],
  })
  dropPrevious(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) webhookId: string,
  ): Promise<void> {
    return this.webhooks.dropPrevious(admin, agentId, webhookId);
  }

  @Delete(':id')
  @HttpCode(204)
  @Answers({ summary: 'Remove a webhook and its secrets', status: 204, errors: ['not_found'] })
  remove(
    @Admin() admin: AdminContext,
    @Param('agentId', id) agentId: string,
    @Param('id', id) webhookId: string,
  ): Promise<void> {
    return this.webhooks.remove(admin, agentId, webhookId);
  }
}
