import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { Page, PageQuery } from '@switchyard/service-kit';
import type { AdminContext } from '../admin/admin-context.js';
import { AgentWarningsService } from '../agents/agent-warnings.service.js';
import type { AgentEntity } from '../agents/agent.entity.js';
import { AgentsRepository } from '../agents/agents.repository.js';
import { ChangesService } from '../changes/changes.service.js';
import { REGISTRY_CONFIG } from '../config.js';
import type { RegistryConfig } from '../config.js';
import { refuseGoneParent } from '../http/constraint-violation.js';
import { ResourceId } from '../http/fields.js';
import { refuseFields } from '../http/refuse-fields.js';
import { storedMark } from '../vault/secret-value.js';
import { VaultService } from '../vault/vault.service.js';
import type { AgentWebhookEntity } from './agent-webhook.entity.js';
import type {
  CreateWebhookBody,
  NewWebhookAnswerBody,
  RotateSecretBody,
  UpdateWebhookBody,
  WebhookAnswerBody,
} from './agent-webhook.schemas.js';
import { AgentWebhooksRepository } from './agent-webhooks.repository.js';
import type { LockedWebhook } from './agent-webhooks.repository.js';
import { applyWebhook, newWebhook, toWebhookAnswer } from './webhook-rows.js';
import { chooseSecret } from './webhook-secret.js';
import type { ChosenSecret } from './webhook-secret.js';

/** What begins runs of agents from outside. agent-runner takes the deliveries, and hears of every change. */
@Injectable()
export class AgentWebhooksService {
  constructor(
    private readonly agents: AgentsRepository,
    private readonly webhooks: AgentWebhooksRepository,
    private readonly warnings: AgentWarningsService,
    private readonly vault: VaultService,
    private readonly changes: ChangesService,
    @Inject(REGISTRY_CONFIG) private readonly config: Pick<RegistryConfig, 'publicUrl'>,
  ) {}

  /** check → store the secret → commit the row → tell the others. A failure leaves nothing behind. */
  async create(
    { orgId }: AdminContext,
    agentId: string,
    body: CreateWebhookBody,
  ): Promise<NewWebhookAnswerBody> {
    const agent = await this.agents.require(orgId, agentId);
    const row = newWebhook(agent, body);
    const secret = chooseSecret(row.scheme, body.secret);
    try {
      await this.vault.put(row, 'webhook', { current: secret.value });
      await refuseGoneParent(() => this.webhooks.insert(row));
    } catch (error) {
      await this.vault.takeBack(row);
      throw error;
    }
    await this.tell(row, 'created');
    return this.answer(agent, row, secret);
  }

  async list(
    { orgId }: AdminContext,
    agentId: string,
    { limit, cursor }: PageQuery,
  ): Promise<Page<WebhookAnswerBody>> {
    const agent = await this.agents.require(orgId, agentId);
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.webhooks.list(placeOf(agent), limit + 1, afterId);
    return toPage(rows, limit, { item: (row) => this.stored(row), position: ({ id }) => id });
  }

  async get({ orgId }: AdminContext, agentId: string, id: string): Promise<WebhookAnswerBody> {
    const agent = await this.agents.require(orgId, agentId);
    const row = await this.webhooks.find(placeOf(agent), id);
    if (!row) throw new PlatformError('not_found');
    return this.told(agent, row);
  }

  async update(
    { orgId }: AdminContext,
    agentId: string,
    { id, body }: { id: string; body: UpdateWebhookBody },
  ): Promise<WebhookAnswerBody> {
    const agent = await this.agents.require(orgId, agentId);
    const { row, next } = await this.webhooks.locked(placeOf(agent), id, (locked) =>
      this.replace(locked, body),
    );
    if (row !== next) await this.tell(next, 'updated');
    return this.told(agent, next);
  }

  /** The secret before holds until the next rotation, or until it is dropped. */
  async rotate(
    { orgId }: AdminContext,
    agentId: string,
    { id, body }: { id: string; body: RotateSecretBody },
  ): Promise<NewWebhookAnswerBody> {
    const agent = await this.agents.require(orgId, agentId);
    const { row, secret } = await this.webhooks.locked(placeOf(agent), id, async (locked) => {
      const chosen = chooseSecret(locked.row.scheme, body.secret);
      await this.vault.rotate(locked.row, chosen.value, locked.sql);
      return { row: await changed(locked, { hasPreviousSecret: true }), secret: chosen };
    });
    await this.tell(row, 'updated');
    return this.answer(agent, row, secret);
  }

  async dropPrevious({ orgId }: AdminContext, agentId: string, id: string): Promise<void> {
    const agent = await this.agents.require(orgId, agentId);
    const row = await this.webhooks.locked(placeOf(agent), id, async (locked) => {
      await this.vault.dropPrevious(locked.row);
      return changed(locked, { hasPreviousSecret: false });
    });
    await this.tell(row, 'updated');
  }

  async remove({ orgId }: AdminContext, agentId: string, id: string): Promise<void> {
    const agent = await this.agents.require(orgId, agentId);
    const row = await this.webhooks.locked(placeOf(agent), id, async (locked) => {
      await locked.remove();
      await this.vault.delete(locked.row);
      return locked.row;
    });
    await this.tell(row, 'deleted');
  }

  /** The row lock keeps the secrets in the vault those of the row's scheme. */
  private async replace(locked: LockedWebhook, body: UpdateWebhookBody) {
    const { row, sql } = locked;
    const next = applyWebhook(row, body);
    if (next.scheme.scheme !== row.scheme.scheme && body.secret === undefined)
      refuseFields([
        { path: 'secret', message: 'the stored secret belongs to the scheme before: give one again' },
      ]);
    if (body.secret === undefined && isDeepStrictEqual(row, next)) return { row, next: row };
    if (body.secret !== undefined) {
      const { value } = chooseSecret(next.scheme, body.secret);
      await this.vault.put(row, 'webhook', { current: value }, sql);
      next.hasPreviousSecret = false;
    }
    return { row, next: await changed(locked, next) };
  }

  private async told(agent: AgentEntity, row: AgentWebhookEntity): Promise<WebhookAnswerBody> {
    return { ...this.stored(row), ...(await this.warnings.ofTrigger(agent)) };
  }

  private async answer(
    agent: AgentEntity,
    row: AgentWebhookEntity,
    { value, isMade }: ChosenSecret,
  ): Promise<NewWebhookAnswerBody> {
    return { ...(await this.told(agent, row)), secret: isMade ? value : storedMark };
  }

  private stored(row: AgentWebhookEntity): WebhookAnswerBody {
    return { ...toWebhookAnswer(row, this.config.publicUrl), secret: storedMark };
  }

  private async tell(
    { id, organizationId: orgId }: AgentWebhookEntity,
    change: 'created' | 'updated' | 'deleted',
  ): Promise<void> {
    await this.changes.announce({ entity: 'webhook', change, orgId, id });
  }
}

async function changed(
  { row, replace }: LockedWebhook,
  changes: Partial<AgentWebhookEntity>,
): Promise<AgentWebhookEntity> {
  const next = { ...row, ...changes, version: row.version + 1, updatedAt: new Date() };
  await replace(next);
  return next;
}

function placeOf({ id: agentId, organizationId }: AgentEntity) {
  return { organizationId, agentId };
}
