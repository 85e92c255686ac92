import { WebhookScheme } from '@switchyard/webhooks';
import { v7 as uuidv7 } from 'uuid';
import type { AgentEntity } from '../agents/agent.entity.js';
import { AgentWebhookEntity } from './agent-webhook.entity.js';
import type { CreateWebhookBody, UpdateWebhookBody, WebhookAnswerBody } from './agent-webhook.schemas.js';

const defaultBodyLimitBytes = 262_144;

/** The row of a new webhook. */
export function newWebhook(agent: AgentEntity, body: CreateWebhookBody): AgentWebhookEntity {
  const now = new Date();
  const { id: agentId, organizationId } = agent;
  return Object.assign(new AgentWebhookEntity(), {
    ...{ id: uuidv7(), organizationId, agentId, version: 1, createdAt: now, updatedAt: now },
    name: body.name,
    scheme: body.scheme ?? WebhookScheme.parse({ scheme: 'standard' }),
    input: body.input,
    bodyLimitBytes: body.body_limit_bytes ?? defaultBodyLimitBytes,
    hasPreviousSecret: false,
    isActive: body.is_active ?? true,
  });
}

/** The row with what the body names; the rest stays. */
export function applyWebhook(row: AgentWebhookEntity, body: UpdateWebhookBody): AgentWebhookEntity {
  return Object.assign(new AgentWebhookEntity(), row, {
    name: body.name ?? row.name,
    scheme: body.scheme ?? row.scheme,
    input: body.input ?? row.input,
    bodyLimitBytes: body.body_limit_bytes ?? row.bodyLimitBytes,
    isActive: body.is_active ?? row.isActive,
  });
}

/** A webhook as admins see it, but for what is to be said of its secret. */
export function toWebhookAnswer(
  row: AgentWebhookEntity,
  publicUrl: string | undefined,
): Omit<WebhookAnswerBody, 'secret'> {
  const path = `/hooks/${row.id}`;
  return {
    id: row.id,
    organization_id: row.organizationId,
    agent_id: row.agentId,
    name: row.name,
    scheme: row.scheme,
    input: row.input,
    body_limit_bytes: row.bodyLimitBytes,
    is_active: row.isActive,
    url_path: path,
    ...(publicUrl !== undefined && { url: `${publicUrl}${path}` }),
    has_previous_secret: row.hasPreviousSecret,
    version: row.version,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
