import { describe, expect, it } from '@jest/globals';
import { Rfc3339Time } from './rfc3339-time.js';

describe('a time in a query', () => {
  it.each([
    '0001-01-01T00:00:00Z',
    '0001-01-01T15:59:00+15:59',
    '2020-01-01T00:00:00.123456Z',
    '2020-02-29T00:00:00-15:59',
    '9999-12-31T23:59:59.999999999Z',
  ])('may be %s', (text) => {
    expect(Rfc3339Time.parse(text)).toBe(text);
  });

  it.each([
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '2020-01-01T00:00:00+16:00',
    '2020-01-01T00:00:00+23:59',
    '2020-02-30T00:00:00Z',
    `2020-01-01T00:00:00.${'0'.repeat(200)}Z`,
    '+010000-01-01T00:00:00Z',
    '2020-01-01',
    '2020-01-01T00:00:00',
    'infinity',
    '',
  ])('may not be %s', (text) => {
    expect(Rfc3339Time.safeParse(text).success).toBe(false);
  });
});
