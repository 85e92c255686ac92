import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { Page } from '@switchyard/service-kit';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { ResourceId } from '../http/fields.js';
import { refuseFields } from '../http/refuse-fields.js';
import { refuseTakenSlug } from '../http/constraint-violation.js';
import { UsersService } from '../users/users.service.js';
import { VaultService } from '../vault/vault.service.js';
import { applySettings, newIntegration, redirectedSecrets, vaultPuts } from './apply-settings.js';
import { CacheCheck } from './cache-check.js';
import { nextVersions } from './connection-version.js';
import { IntegrationFactsRepository } from './integration-facts.repository.js';
import { brokenRules } from './integration-rules.js';
import type { IntegrationEntity } from './integration.entity.js';
import type {
  CreateIntegrationBody,
  IntegrationAnswerBody,
  ListIntegrationsQuery,
  UpdateIntegrationBody,
} from './integration.schemas.js';
import { IntegrationsRepository } from './integrations.repository.js';
import type { LockedIntegration } from './integrations.repository.js';
import { refuseLocalChange, refuseLocalRemoval } from './local-rules.js';
import { toIntegrationAnswer } from './to-integration-answer.js';
import { OAuthCheck } from './oauth-check.js';
import { serviceUserSetting } from './service-user-setting.js';
import { TransportCheck } from './transport-check.js';

@Injectable()
export class IntegrationsService {
  constructor(
    private readonly integrations: IntegrationsRepository,
    private readonly facts: IntegrationFactsRepository,
    private readonly transports: TransportCheck,
    private readonly oauth: OAuthCheck,
    private readonly users: UsersService,
    private readonly caches: CacheCheck,
    private readonly vault: VaultService,
    private readonly changes: ChangesService,
  ) {}

  /** check → store the secrets → commit the row → tell the others. A failure leaves nothing behind. */
  async create(admin: AdminContext, body: CreateIntegrationBody): Promise<IntegrationAnswerBody> {
    const row = await this.check(admin, body);
    await this.store(row, body);
    await this.tell(row, 'created');
    if (row.enabled) await this.changes.requestSync(row.organizationId, row.id, 'connect');
    return this.answer(row);
  }

  /** All that `create` checks, without creating. */
  async check(admin: AdminContext, body: CreateIntegrationBody): Promise<IntegrationEntity> {
    if (body.scope === 'global' && !admin.isOperator) {
      throw new PlatformError('forbidden', {
        message: 'Only the operator’s admin key registers global integrations.',
      });
    }
    const row = newIntegration(admin.orgId, body);
    Object.assign(row, serviceUserSetting(null, row, admin.actor));
    refuseFields(brokenRules(row));
    await this.transports.check(row, admin.orgSlug);
    await this.oauth.check(row.oauth);
    await this.users.requireActive(admin.orgId, row.serviceUserId, 'service_user_id');
    await this.users.requireActive(admin.orgId, row.ownerUserId, 'owner_user_id');
    refuseFields(await this.foreignApprovers(admin, body));
    if (await this.integrations.findBySlug(admin.orgId, row.slug, row.ownerUserId))
      throw new PlatformError('slug_taken', { message: `It is ${row.slug}.` });
    return row;
  }

  async list(admin: AdminContext, query: ListIntegrationsQuery): Promise<Page<IntegrationAnswerBody>> {
    const { limit, cursor, state, slug } = query;
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.integrations.list(admin.orgId, limit + 1, { state, slug, afterId });
    const facts = await this.facts.of(rows.map(({ id }) => id));
    return toPage(rows, limit, {
      item: (row) => toIntegrationAnswer(row, facts.get(row.id)),
      position: ({ id }) => id,
    });
  }

  async get(admin: AdminContext, id: string): Promise<IntegrationAnswerBody> {
    const row = await this.integrations.find(admin.orgId, id);
    if (!row) throw new PlatformError('not_found');
    return this.answer(row);
  }

  async update(admin: AdminContext, id: string, body: UpdateIntegrationBody): Promise<IntegrationAnswerBody> {
    await this.users.requireActive(admin.orgId, body.service_user_id ?? null, 'service_user_id');
    refuseFields(await this.foreignApprovers(admin, body));
    const { row, next } = await this.integrations.locked(admin.orgId, id, (locked) =>
      this.replace(admin, locked, body),
    );
    if (row === next) return this.answer(row);
    await this.tell(next, 'updated');
    if (needsSync(row, next, body))
      await this.changes.requestSync(next.organizationId, next.id, 'config_edit');
    return this.answer(next);
  }

  async remove(admin: AdminContext, id: string): Promise<void> {
    const row = await this.integrations.locked(admin.orgId, id, async (locked) => {
      refuseLocalRemoval(locked.row);
      await locked.remove();
      if (hasCredentials(locked.row)) await this.vault.delete(locked.row);
      return locked.row;
    });
    // Users may have consented while it had another mode. Nothing waits for that: it cannot be called any more.
    if (!hasCredentials(row)) await this.vault.takeBack(row);
    await this.tell(row, 'deleted');
  }

  private foreignApprovers({ orgId }: AdminContext, { approval }: UpdateIntegrationBody) {
    return this.users.foreign(orgId, 'approval.approver_user_ids', approval?.approver_user_ids);
  }

  private async store(row: IntegrationEntity, body: CreateIntegrationBody): Promise<void> {
    const puts = vaultPuts(row, row, body);
    try {
      for (const { kind, values } of puts) await this.vault.put(row, kind, values);
      await refuseTakenSlug(() => this.integrations.insert(row));
    } catch (error) {
      if (puts.length > 0) await this.vault.takeBack(row);
      throw error;
    }
  }

  /** The row lock keeps the values in the vault and their names in the row those of one and the same change. */
  private async replace(admin: AdminContext, locked: LockedIntegration, body: UpdateIntegrationBody) {
    const { row } = locked;
    const next = applySettings(row, body);
    refuseLocalChange(row, next);
    Object.assign(next, serviceUserSetting(row, next, admin.actor));
    refuseFields([...brokenRules(next), ...redirectedSecrets(row, next, body)]);
    if (body.tool_overrides) refuseFields(await this.caches.problems(next));
    if (!isDeepStrictEqual([row.transport, row.envNames], [next.transport, next.envNames]))
      await this.transports.check(next, admin.orgSlug);
    if (!isDeepStrictEqual(row.oauth, next.oauth)) await this.oauth.check(next.oauth);
    const puts = vaultPuts(row, next, body);
    if (puts.length === 0 && isDeepStrictEqual(row, next)) return { row, next: row };
    for (const { kind, values } of puts) await this.vault.put(row, kind, values, locked.sql);
    Object.assign(next, nextVersions(row, next, { hasNewSecrets: puts.length > 0 }));
    await locked.replace(next);
    return { row, next };
  }

  private async answer(row: IntegrationEntity): Promise<IntegrationAnswerBody> {
    return toIntegrationAnswer(row, (await this.facts.of([row.id])).get(row.id));
  }

  private async tell(
    { id, organizationId }: IntegrationEntity,
    change: 'created' | 'updated' | 'deleted',
  ): Promise<void> {
    await this.changes.announce({ entity: 'integration', change, orgId: organizationId, id });
  }
}

/** What changes how the upstream is reached, or which of its tools are served (002: a change of `tools_to_execute`). */
function needsSync(row: IntegrationEntity, next: IntegrationEntity, body: UpdateIntegrationBody): boolean {
  const facts = (one: IntegrationEntity) => [
    one.transport,
    one.authMode,
    one.oauth,
    one.userHeaderNames,
    one.serviceUserId,
    one.enabled,
    one.toolsToExecute,
    one.toolsToSkip,
    one.pinned,
  ];
  return (
    Boolean(body.headers ?? body.env ?? body.client_secret) || !isDeepStrictEqual(facts(row), facts(next))
  );
}

/** Whether the broker may hold something for it: values that an admin gave, or what its users consented to. */
function hasCredentials({ authMode, headerNames, envNames }: IntegrationEntity): boolean {
  return authMode !== 'none' || headerNames.length + envNames.length > 0;
}
