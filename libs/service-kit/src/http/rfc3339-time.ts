import { z } from 'zod';

const yearOneMs = Date.parse('0001-01-01T00:00:00Z');
const yearTenThousandMs = Date.parse('9999-12-31T23:59:59.999Z') + 1;
/** With nine digits of a second's fraction. PostgreSQL refuses a time of more than some 150 characters. */
const longest = '9999-12-31T23:59:59.999999999+15:59'.length;
const longestOffsetHours = 15;

/**
 * A time of RFC 3339 that PostgreSQL takes as a `timestamptz`: of the years 1 to 9999 in UTC, with an offset of up to 15:59. For
 * times in queries and cursors, where one that only the database refuses would be answered with 500.
 */
export const Rfc3339Time = z.iso
  .datetime({ offset: true })
  .max(longest)
  .refine(isKnownToPostgres, 'must be of the years 1 to 9999 in UTC, with an offset of 15:59 at most');

function isKnownToPostgres(text: string): boolean {
  const offsetHours = /[+-](\d\d):\d\d$/.exec(text)?.[1] ?? '0';
  const at = Date.parse(text);
  return Number(offsetHours) <= longestOffsetHours && at >= yearOneMs && at < yearTenThousandMs;
}
