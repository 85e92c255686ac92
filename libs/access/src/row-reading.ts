import { isDeepStrictEqual } from 'node:util';

/** Runs one statement and returns its rows, as `pg` does. */
export type QueryFunction = (sql: string, params?: unknown[]) => Promise<unknown[]>;

/** What the version rows say; compared for equality alone. */
export type Versions = { registry: string; catalog: string; broker: string };

/** The version rows: whoever writes the schema bumps its own. */
export async function readVersions(query: QueryFunction): Promise<Versions> {
  const sql = `SELECT (SELECT version::text FROM registry.v_version) AS registry,
                      (SELECT version::text FROM catalog.v_version) AS catalog,
                      (SELECT version::text FROM broker.v_version) AS broker`;
  const [row] = (await query(sql)) as Versions[];
  if (!row) throw new Error('The version rows are missing');
  return row;
}

type Wired = { readonly id: string; readonly wire: unknown; readonly wireSha256: string };

type WireOf<R extends Wired> = Pick<R, 'id' | 'wire' | 'wireSha256'>;

/** How the wire objects of some rows are read, each with its digest, by `$1`, their ids. */
export type WiredRows<R extends Wired> = {
  readonly heads: readonly Omit<R, 'wire'>[];
  readonly wiresSql: string;
};

/**
 * The rows of `heads` with their wire objects. One is read only where its digest is not `known`, so that a change of
 * state or of one tool in 5,000 costs neither the transfer nor the parsing of the rest. Unchanged rows are the same
 * objects as before, and so is the list where all are.
 */
export async function readWired<R extends Wired>(
  query: QueryFunction,
  { heads, wiresSql }: WiredRows<R>,
  known: readonly R[],
): Promise<readonly R[]> {
  const before = new Map(known.map((row) => [row.id, row]));
  const stale = heads.filter(({ id, wireSha256 }) => before.get(id)?.wireSha256 !== wireSha256);
  const ids = stale.map(({ id }) => id);
  const fresh = ids.length === 0 ? [] : ((await query(wiresSql, [ids])) as WireOf<R>[]);
  const wires = new Map(fresh.map((row) => [row.id, row]));
  const rows = heads.flatMap((head) => keepOrMake(head, before.get(head.id), wires.get(head.id)));
  const isSame = rows.length === known.length && rows.every((row, index) => row === known[index]);
  return isSame ? known : rows;
}

/**
 * What was deleted or took another form between the two reads is left out: what the head says, an admin's approval too,
 * is true of its own form alone. The version has moved, and the next look reads again.
 */
function keepOrMake<R extends Wired>(
  head: Omit<R, 'wire'>,
  before: R | undefined,
  fresh: WireOf<R> | undefined,
): R[] {
  if (before?.wireSha256 !== head.wireSha256)
    return fresh?.wireSha256 === head.wireSha256 ? [{ ...head, wire: fresh.wire } as unknown as R] : [];
  const { wire: kept, ...rest } = before;
  return [isDeepStrictEqual(rest, head) ? before : ({ ...head, wire: kept } as unknown as R)];
}
