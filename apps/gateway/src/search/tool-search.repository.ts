import { Injectable } from '@nestjs/common';
import type { ResolvedTool } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';

/**
 * One word that fits is enough, and more of them rank higher; of where it fits, the name counts most, then the
 * integration, the description, the arguments. Only the given tools are looked at: those of the caller.
 */
const ranked = `
  WITH wanted AS MATERIALIZED (
    SELECT (replace(plainto_tsquery('pg_catalog.english', $1)::text, '&', '|')::tsquery
      || replace(plainto_tsquery('pg_catalog.simple', $1)::text, '&', '|')::tsquery) AS query
  ), sources AS MATERIALIZED (
    SELECT id, to_tsvector('pg_catalog.simple', words) AS document FROM unnest($3::uuid[], $4::text[]) AS source (id, words)
  ), renamed AS MATERIALIZED (
    SELECT id, to_tsvector('pg_catalog.english', words) AS document FROM unnest($5::uuid[], $6::text[]) AS own (id, words)
  )
  SELECT found.tool_id, count(*) OVER () AS total
  FROM catalog.v_tool_search AS found CROSS JOIN wanted
    LEFT JOIN sources ON sources.id = found.integration_id
    LEFT JOIN renamed ON renamed.id = found.tool_id
  WHERE found.tool_id = ANY ($2::uuid[])
    AND (found.document @@ query OR sources.document @@ query OR renamed.document @@ query)
  ORDER BY ts_rank('{0.1, 0.2, 0.4, 1}', found.document, query, 1)
    + 0.7 * coalesce(ts_rank(sources.document, query), 0) + coalesce(ts_rank(renamed.document, query), 0) DESC,
    found.tool_id
  LIMIT $7`;

export type Found = { readonly tools: readonly ResolvedTool[]; readonly total: number };

/** Full-text search of PostgreSQL over what catalog-sync keeps of each tool. */
@Injectable()
export class ToolSearch {
  constructor(private readonly sql: Sql) {}

  /** The best matches among the given tools. Throws `dependency_unavailable`. */
  async search(tools: readonly ResolvedTool[], query: string, limit: number): Promise<Found> {
    const byId = new Map(tools.map((tool) => [tool.tool.id, tool]));
    const sources = new Map(tools.map(({ integration }) => [integration.id, integration]));
    const own = tools.filter(isRenamed);
    const rows = await this.sql
      .prepared<{ tool_id: string; total: number }>(ranked, [
        words(query),
        [...byId.keys()],
        [...sources.keys()],
        [...sources.values()].map(({ slug, name }) => words(`${slug} ${name}`)),
        own.map(({ tool }) => tool.id),
        own.map(({ outwardName, wire }) => words(`${outwardName} ${String(wire['description'] ?? '')}`)),
        limit,
      ])
      .catch((cause: unknown) => {
        throw new PlatformError('dependency_unavailable', { cause });
      });
    return {
      tools: rows.flatMap(({ tool_id }) => byId.get(tool_id) ?? []),
      total: Number(rows[0]?.total ?? 0),
    };
  }
}

/** Whether a toolset calls it, or speaks of it, otherwise than its vendor does. */
function isRenamed({ tool, wire, outwardName, integration }: ResolvedTool): boolean {
  if (wire['description'] !== tool.wire['description']) return true;
  return outwardName !== tool.name && !outwardName.startsWith(`${integration.slug}_`);
}

/** `createIssue`, `create_issue` and `create-issue` are two words each, as they are in the documents. */
function words(text: string): string {
  return text
    .slice(0, 2_000)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ');
}
