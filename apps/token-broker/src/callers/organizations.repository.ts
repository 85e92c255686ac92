import { Injectable } from '@nestjs/common';
import { Sql } from '@switchyard/database';

export type Organization = { readonly id: string; readonly slug: string; readonly name: string };

@Injectable()
export class OrganizationsRepository {
  constructor(private readonly sql: Sql) {}

  /** By id or slug. */
  async find(name: string): Promise<Organization | null> {
    const rows = await this.sql.query<Organization>(
      `SELECT id, slug, name FROM registry.v_organizations WHERE id::text = $1 OR slug = $1`,
      [name],
    );
    return rows[0] ?? null;
  }
}
