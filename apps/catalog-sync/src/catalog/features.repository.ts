import { Injectable } from '@nestjs/common';
import type { Sql } from '@switchyard/database';
import { v7 as uuidv7 } from 'uuid';
import type { FeatureListing, ListedFeature } from './listed-feature.js';

type Owner = { readonly id: string; readonly orgId: string };
type Stored = Pick<ListedFeature, 'kind' | 'name' | 'wireSha256' | 'position'>;

/** `catalog.features`, always within the transaction of a sync. */
@Injectable()
export class FeaturesRepository {
  /** Brings the rows in line with the list; what is gone is deleted. Whether anything was other than before. */
  async replace(
    sql: Sql,
    owner: Owner,
    { features, kinds }: FeatureListing,
    { isOtherServer }: { isOtherServer: boolean },
  ): Promise<boolean> {
    const stored = await this.#list(sql, owner.id);
    const before = new Map(stored.map((row) => [keyOf(row), row]));
    const after = new Set(features.map(keyOf));
    const writes = features.filter((feature) => !isSame(feature, before.get(keyOf(feature))));
    // A list that failed keeps what it had, but for what another server had.
    const gone = stored.filter(
      (row) => (isOtherServer || kinds.includes(row.kind)) && !after.has(keyOf(row)),
    );
    await this.#delete(sql, owner.id, gone);
    await this.#write(sql, owner, writes);
    return writes.length + gone.length > 0;
  }

  async #list(sql: Sql, integrationId: string): Promise<Stored[]> {
    return sql.query<Stored>(
      `SELECT kind, name, wire_sha256 AS "wireSha256", position FROM catalog.features WHERE integration_id = $1`,
      [integrationId],
    );
  }

  async #delete(sql: Sql, integrationId: string, gone: readonly Stored[]): Promise<void> {
    if (gone.length === 0) return;
    await sql.query(
      `DELETE FROM catalog.features f USING unnest($2::text[], $3::text[]) AS gone (kind, name)
       WHERE f.integration_id = $1 AND f.kind = gone.kind AND f.name = gone.name`,
      [integrationId, gone.map(({ kind }) => kind), gone.map(({ name }) => name)],
    );
  }

  async #write(sql: Sql, owner: Owner, features: readonly ListedFeature[]): Promise<void> {
    if (features.length === 0) return;
    await sql.query(
      `INSERT INTO catalog.features (integration_id, organization_id, id, kind, name, wire, wire_sha256, position)
       SELECT $1::uuid, $2::uuid, given.*
       FROM unnest($3::uuid[], $4::text[], $5::text[], $6::json[], $7::text[], $8::integer[]) AS given
       ON CONFLICT (integration_id, kind, name) DO UPDATE SET wire = excluded.wire,
         wire_sha256 = excluded.wire_sha256, position = excluded.position`,
      [
        ...[owner.id, owner.orgId, features.map(() => uuidv7())],
        ...[features.map(({ kind }) => kind), features.map(({ name }) => name)],
        ...[features.map(({ wire }) => JSON.stringify(wire)), features.map(({ wireSha256 }) => wireSha256)],
        features.map(({ position }) => position),
      ],
    );
  }
}

function keyOf({ kind, name }: Pick<Stored, 'kind' | 'name'>): string {
  return `${kind}\n${name}`;
}

function isSame(feature: ListedFeature, before: Stored | undefined): boolean {
  return before?.wireSha256 === feature.wireSha256 && before.position === feature.position;
}
