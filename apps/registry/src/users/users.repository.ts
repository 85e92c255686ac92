import { Injectable } from '@nestjs/common';
import type { UserRecord } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { DataSource, In, Not } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { UserEntity } from './user.entity.js';
import type { ListUsersQuery } from './user.schemas.js';

export type KnownUser = { id: string; active: boolean; isNew: boolean };
export type UserFilter = Pick<ListUsersQuery, 'username' | 'email' | 'active'> & { afterId?: string };

/* `active` is an admin's word and no token's. Only a row that was just made has an xmax of 0. */
const seenSql = `INSERT INTO registry.users AS u
    (id, organization_id, issuer, subject, username, email, display_name, roles)
  SELECT $1, o.id, $3, $4, $5, $6, $7, $8 FROM registry.organizations o WHERE o.id = $2
  ON CONFLICT (organization_id, issuer, subject) DO UPDATE SET username = excluded.username, email = excluded.email,
    display_name = excluded.display_name, roles = excluded.roles, last_seen_at = now()
  RETURNING u.id, u.active, u.xmax = 0 AS "isNew"`;

/** Every read and write is of one organization. */
@Injectable()
export class UsersRepository {
  constructor(
    private readonly sql: Sql,
    private readonly source: DataSource,
  ) {}

  /** The user that the person is, made if there was none; nothing if there is no such organization. */
  async seen(record: UserRecord): Promise<KnownUser | undefined> {
    const { orgId, issuer, subject, username, email, displayName, roles } = record;
    const values = [uuidv7(), orgId, issuer, subject, username, email, displayName, roles];
    const [user] = await this.sql.query<KnownUser>(seenSql, values);
    return user;
  }

  /** Which of the ids are the organization's. */
  async known(organizationId: string, ids: readonly string[]): Promise<Set<string>> {
    const where = { organizationId, id: In([...ids]) };
    const rows = await this.source.manager.find(UserEntity, { where, select: { id: true } });
    return new Set(rows.map(({ id }) => id));
  }

  async find(organizationId: string, id: string): Promise<UserEntity | null> {
    return this.source.manager.findOneBy(UserEntity, { organizationId, id });
  }

  async list(organizationId: string, limit: number, filter: UserFilter): Promise<UserEntity[]> {
    const { afterId, username, email, active } = filter;
    const query = this.source.manager
      .createQueryBuilder(UserEntity, 'u')
      .where('u.organizationId = :organizationId', { organizationId })
      .orderBy('u.id')
      .limit(limit);
    if (afterId) query.andWhere('u.id > :afterId', { afterId });
    if (username !== undefined) query.andWhere('lower(u.username) = lower(:username)', { username });
    if (email !== undefined) query.andWhere('lower(u.email) = lower(:email)', { email });
    if (active !== undefined) query.andWhere('u.active = :active', { active });
    return query.getMany();
  }

  /** False if the user is so already, or there is none. */
  async setActive(organizationId: string, id: string, active: boolean): Promise<boolean> {
    const where = { organizationId, id, active: Not(active) };
    const { affected } = await this.source.manager.update(UserEntity, where, { active });
    return affected === 1;
  }
}
