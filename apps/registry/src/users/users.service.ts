import { Injectable } from '@nestjs/common';
import { PlatformError } from '@switchyard/contracts';
import { decodeCursor, toPage } from '@switchyard/service-kit';
import type { FieldError, Page } from '@switchyard/service-kit';
import type { AdminContext } from '../admin/admin-context.js';
import { ChangesService } from '../changes/changes.service.js';
import { ResourceId } from '../http/fields.js';
import { refuseFields } from '../http/refuse-fields.js';
import type { UserEntity } from './user.entity.js';
import type { ListUsersQuery, UpdateUserBody, UserAnswerBody } from './user.schemas.js';
import { UsersRepository } from './users.repository.js';

/** Users come by their tokens and never go: their calls' history speaks of them. */
@Injectable()
export class UsersService {
  constructor(
    private readonly users: UsersRepository,
    private readonly changes: ChangesService,
  ) {}

  async list({ orgId }: AdminContext, query: ListUsersQuery): Promise<Page<UserAnswerBody>> {
    const { limit, cursor, ...filter } = query;
    const afterId = cursor === undefined ? undefined : decodeCursor(ResourceId, cursor);
    const rows = await this.users.list(orgId, limit + 1, { ...filter, afterId });
    return toPage(rows, limit, { item: toAnswer, position: ({ id }) => id });
  }

  async get({ orgId }: AdminContext, id: string): Promise<UserAnswerBody> {
    const user = await this.users.find(orgId, id);
    if (!user) throw new PlatformError('not_found');
    return toAnswer(user);
  }

  async update(admin: AdminContext, id: string, { active }: UpdateUserBody): Promise<UserAnswerBody> {
    if (!active && admin.actor.kind === 'user' && admin.actor.id === id)
      throw new PlatformError('conflict', { message: 'Nobody deactivates themself: ask another admin.' });
    const isChanged = await this.users.setActive(admin.orgId, id, active);
    if (isChanged) await this.changes.announce({ entity: 'user', change: 'updated', orgId: admin.orgId, id });
    return this.get(admin, id);
  }

  /** Which of the ids are no users of the organization, for `refuseFields`. */
  async foreign(orgId: string, field: string, ids: readonly string[] = []): Promise<FieldError[]> {
    const known = ids.length > 0 ? await this.users.known(orgId, ids) : new Set<string>();
    const message = 'is not a user of the organization';
    return ids.flatMap((id, at) => (known.has(id) ? [] : [{ path: `${field}.${at}`, message }]));
  }

  /** Throws `invalid_request` that names `field`, unless the id is null or an active user's of the organization. */
  async requireActive(orgId: string, id: string | null, field: string): Promise<void> {
    if (id === null || (await this.users.find(orgId, id))?.active) return;
    refuseFields([{ path: field, message: 'is not an active user of the organization' }]);
  }
}

function toAnswer(row: UserEntity): UserAnswerBody {
  return {
    id: row.id,
    organization_id: row.organizationId,
    issuer: row.issuer,
    subject: row.subject,
    username: row.username,
    email: row.email,
    display_name: row.displayName,
    roles: row.roles,
    active: row.active,
    last_seen_at: row.lastSeenAt.toISOString(),
    created_at: row.createdAt.toISOString(),
  };
}
