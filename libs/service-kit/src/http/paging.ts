import { PlatformError } from '@switchyard/contracts';
import { z } from 'zod';

/** Query of every list: `?limit=50&cursor=…`. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1024).optional(),
});
export type PageQuery = z.output<typeof PageQuery>;

/** The answer of every list; `next_cursor` is null on the last page. */
export type Page<T> = { items: T[]; next_cursor: string | null };

/** An opaque cursor that stands for the position, the sort values of the last item for instance. */
export function encodeCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** The position of a cursor that a caller sent, checked by `schema`. Throws `invalid_request`. */
export function decodeCursor<S extends z.ZodType>(schema: S, cursor: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch (cause) {
    const message = 'is not a cursor of this list';
    throw new PlatformError('invalid_request', {
      message: `cursor ${message}.`,
      details: { errors: [{ path: 'cursor', message }] },
      cause,
    });
  }
}

/** Cuts `rows`, of which one more than `limit` was read, to a page. */
export function toPage<R, T>(
  rows: readonly R[],
  limit: number,
  options: { item(row: R): T; position(row: R): unknown },
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rows.length > limit && last !== undefined;
  return {
    items: shown.map((row) => options.item(row)),
    next_cursor: hasMore ? encodeCursor(options.position(last)) : null,
  };
}
