import { describe, expect, it } from '@jest/globals';
import { parseJson } from './parse-json.js';

const limits = { maxDepth: 10, maxElements: 100 };

describe('parseJson', () => {
  it('gives the value', () => {
    expect(parseJson('{"a":[1,"\\u00e9"]}', limits)).toEqual({ ok: true, value: { a: [1, 'é'] } });
  });

  it('tells what is no JSON from what is too much, and repeats nothing of it', () => {
    expect(parseJson('{"secret-token', limits)).toEqual({
      ok: false,
      syntax: true,
      problem: 'The body is not valid JSON.',
    });
    expect(parseJson('['.repeat(11), limits)).toMatchObject({ ok: false, syntax: false });
  });

  it('refuses a __proto__ key, escaped or deep', () => {
    expect(parseJson('{"a":{"__proto__":{"admin":true}}}', limits)).toMatchObject({ ok: false });
    expect(parseJson('{"\\u005f_proto__":1}', limits)).toMatchObject({ ok: false });
    expect(parseJson('{"text":"__proto__"}', limits)).toMatchObject({ ok: true });
  });
});
