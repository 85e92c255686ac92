import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { lockModelKey } from '@switchyard/database';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { FieldError, Page } from '@switchyard/service-kit';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { EgressService } from '../egress/egress.service.js';
import { refuseTakenSlug } from '../http/constraint-violation.js';
import { ResourceId } from '../http/fields.js';
import { refuseFields } from '../http/refuse-fields.js';
import { UsersService } from '../users/users.service.js';
import { VaultService } from '../vault/vault.service.js';
import { AgentWarningsService } from './agent-warnings.service.js';
import type { AgentEntity } from './agent.entity.js';
import type { AgentAnswerBody, CreateAgentBody, ListAgentsQuery, UpdateAgentBody } from './agent.schemas.js';
import { AgentsRepository } from './agents.repository.js';
import type { LockedAgent, Triggers } from './agents.repository.js';
import { applyAgent, newAgent, redirectedKey } from './apply-agent.js';
import { toAgentAnswer } from './to-agent-answer.js';

@Injectable()
export class AgentsService {
  constructor(
    private readonly agents: AgentsRepository,
    private readonly warnings: AgentWarningsService,
    private readonly users: UsersService,
    private readonly egress: EgressService,
    private readonly vault: VaultService,
    private readonly changes: ChangesService,
  ) {}

  /** check → store the key → commit the row → tell the others. A failure leaves nothing behind. */
  async create({ orgId }: AdminContext, body: CreateAgentBody): Promise<AgentAnswerBody> {
    const row = newAgent(orgId, body);
    refuseFields(await this.foreignUsers(orgId, body));
    await this.checkAddress(row);
    await this.store(row, body);
    await this.tell(row, 'created');
    return this.answer(row);
  }

  async list({ orgId }: AdminContext, query: ListAgentsQuery): Promise<Page<AgentAnswerBody>> {
    const { limit, cursor, slug } = query;
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.agents.list(orgId, limit + 1, { slug, afterId });
    return toPage(rows, limit, { item: toAgentAnswer, position: ({ id }) => id });
  }

  async get({ orgId }: AdminContext, id: string): Promise<AgentAnswerBody> {
    return this.answer(await this.agents.require(orgId, id));
  }

  async update({ orgId }: AdminContext, id: string, body: UpdateAgentBody): Promise<AgentAnswerBody> {
    refuseFields(await this.foreignUsers(orgId, body));
    const { row, next } = await this.agents.locked(orgId, id, (locked) => this.replace(locked, body));
    if (row !== next) await this.tell(next, 'updated');
    return this.answer(next);
  }

  /** Its schedules and webhooks go with it, and their secrets. */
  async remove({ orgId }: AdminContext, id: string): Promise<void> {
    const { row, triggers } = await this.agents.locked(orgId, id, async (locked) => {
      const owned = await this.agents.triggers(id, locked.sql);
      await locked.remove();
      await this.forgetSecrets(locked.row, owned);
      return { row: locked.row, triggers: owned };
    });
    await this.tell(row, 'deleted');
    for (const one of triggers.schedules)
      await this.changes.announce({ entity: 'schedule', change: 'deleted', orgId, id: one });
    for (const one of triggers.webhooks)
      await this.changes.announce({ entity: 'webhook', change: 'deleted', orgId, id: one });
  }

  private async forgetSecrets(row: AgentEntity, { webhooks }: Triggers): Promise<void> {
    const { organizationId, id, hasModelKey } = row;
    const owners = hasModelKey ? [id, ...webhooks] : webhooks;
    await Promise.all(owners.map((one) => this.vault.delete({ id: one, organizationId })));
  }

  private async store(row: AgentEntity, { model_key: key }: CreateAgentBody): Promise<void> {
    try {
      if (key) await this.vault.put(row, 'model_key', { api_key: key });
      await refuseTakenSlug(() => this.agents.insert(row));
    } catch (error) {
      if (key) await this.vault.takeBack(row);
      throw error;
    }
  }

  /** The row lock keeps the key in the vault that of the row's provider. */
  private async replace(locked: LockedAgent, body: UpdateAgentBody) {
    const { row, sql } = locked;
    const next = applyAgent(row, body);
    refuseFields(redirectedKey(row, next, body));
    if (row.model.base_url !== next.model.base_url) await this.checkAddress(next);
    const isRekeyed = Boolean(body.model_key) || row.hasModelKey !== next.hasModelKey;
    if (!isRekeyed && isDeepStrictEqual(row, next)) return { row, next: row };
    if (isRekeyed) {
      await lockModelKey(sql, row.id, 'exclusive');
      await this.vault.put(row, 'model_key', body.model_key ? { api_key: body.model_key } : {}, sql);
    }
    Object.assign(next, { version: row.version + 1, updatedAt: new Date() });
    await locked.replace(next);
    if (!row.isActive && next.isActive) await this.agents.resumeSchedules(row.id, sql);
    return { row, next };
  }

  /** Where its model is asked, which is asked again at each request. */
  private async checkAddress({ model: { base_url: url } }: AgentEntity): Promise<void> {
    if (url !== undefined) await this.egress.check(url, 'model.base_url');
  }

  private async foreignUsers(
    orgId: string,
    { approval, chat_access: chat }: UpdateAgentBody,
  ): Promise<FieldError[]> {
    return [
      ...(await this.users.foreign(orgId, 'approval.approver_user_ids', approval?.approver_user_ids)),
      ...(await this.users.foreign(orgId, 'chat_access.user_ids', chat?.user_ids)),
    ];
  }

  private async answer(row: AgentEntity): Promise<AgentAnswerBody> {
    return { ...toAgentAnswer(row), ...(await this.warnings.ofAgent(row)) };
  }

  private async tell(
    { id, organizationId: orgId }: AgentEntity,
    change: 'created' | 'updated' | 'deleted',
  ): Promise<void> {
    await this.changes.announce({ entity: 'agent', change, orgId, id });
  }
}
