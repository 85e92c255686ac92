import { Injectable } from '@nestjs/common';
import type { UserRecord } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { v7 as uuidv7 } from 'uuid';

export type KnownUser = { id: string; active: boolean; isNew: boolean };

/* `active` is an admin's word and no token's. The first row of xmax 0 is the one that was just made. */
const seenSql = `INSERT INTO registry.users AS u
    (id, organization_id, issuer, subject, username, email, display_name, roles)
  SELECT $1, o.id, $3, $4, $5, $6, $7, $8 FROM registry.organizations o WHERE o.id = $2
  ON CONFLICT (organization_id, issuer, subject) DO UPDATE SET username = excluded.username, email = excluded.email,
    display_name = excluded.display_name, roles = excluded.roles, last_seen_at = now()
  RETURNING u.id, u.active, u.xmax = 0 AS "isNew"`;

/** Every read and write is of one organization. */
@Injectable()
export class UsersRepository {
  constructor(private readonly sql: Sql) {}

  /** The user that the person is, made if there was none; nothing if there is no such organization. */
  async seen(record: UserRecord): Promise<KnownUser | undefined> {
    const { orgId, issuer, subject, username, email, displayName, roles } = record;
    const values = [uuidv7(), orgId, issuer, subject, username, email, displayName, roles];
    const [user] = await this.sql.query<KnownUser>(seenSql, values);
    return user;
  }
}
