import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { z } from 'zod';
import { decodeCursor, encodeCursor, PageQuery, toPage } from './paging.js';
import { parseBody, parseQuery } from './parse.js';

const rows = [{ id: 1 }, { id: 2 }, { id: 3 }];
const shape = { item: (row: { id: number }) => row.id, position: (row: { id: number }) => [row.id] };

describe('paging', () => {
  it('gives a cursor only where more follows, at the position of the last item shown', () => {
    const page = toPage(rows, 2, shape);
    expect(page.items).toEqual([1, 2]);
    expect(decodeCursor(z.tuple([z.number()]), page.next_cursor ?? '')).toEqual([2]);
    expect(toPage(rows, 3, shape).next_cursor).toBeNull();
    expect(toPage([], 3, shape)).toEqual({ items: [], next_cursor: null });
  });

  it.each(['', 'x', '%%%', encodeCursor({ other: 'shape' }), encodeCursor(['text'])])(
    'refuses the cursor "%s" as a bad request',
    (cursor) => {
      expect(() => decodeCursor(z.tuple([z.number()]), cursor)).toThrow(
        expect.objectContaining({ code: 'invalid_request' }),
      );
    },
  );

  it('names the cursor that it refuses, in the detail too', () => {
    const error = parseError(() => decodeCursor(z.uuid(), 'x'));
    expect(error.message).toBe('The request is not valid. cursor is not a cursor of this list.');
    expect(error.details?.errors).toEqual([{ path: 'cursor', message: 'is not a cursor of this list' }]);
  });

  it.each([{ limit: '0' }, { limit: '201' }, { limit: 'many' }])('refuses %j', (query) => {
    expect(() => parseQuery(PageQuery, query)).toThrow(PlatformError);
  });
});

describe('parseBody', () => {
  it('names each wrong field, ten at most', () => {
    const schema = z.strictObject(
      Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`f${i}`, z.string()])),
    );
    const error = parseError(() => parseBody(schema, {}));
    expect(error.code).toBe('invalid_request');
    expect(error.details?.errors).toHaveLength(10);
    expect(error.details?.errors).toContainEqual({ path: 'f0', message: expect.any(String) });
  });

  it('takes a missing body as an empty object', () => {
    expect(parseBody(z.object({ a: z.string().optional() }), undefined)).toEqual({});
  });
});

function parseError(work: () => unknown): PlatformError {
  try {
    work();
  } catch (error) {
    if (error instanceof PlatformError) return error;
  }
  throw new Error('expected a PlatformError');
}
