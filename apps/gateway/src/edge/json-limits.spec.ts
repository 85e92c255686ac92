import { describe, expect, it } from '@jest/globals';
import { jsonExcess } from './json-limits.js';

const limits = { maxDepth: 3, maxElements: 5 };

describe('jsonExcess', () => {
  it('lets a text within the limits pass', () => {
    expect(jsonExcess('{"a":[1,2],"b":{"c":[]}}', { maxDepth: 3, maxElements: 10 })).toBeUndefined();
  });

  it('refuses deeper nesting, also where it is never closed', () => {
    expect(jsonExcess('[[[[', limits)).toContain('deeper than 3');
  });

  it('refuses more values than allowed, in arrays and in objects', () => {
    expect(jsonExcess('[1,2,3,4,5,6]', limits)).toContain('more than 5');
    expect(jsonExcess('{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}', limits)).toContain('more than 5');
  });

  it('does not count what stands in strings', () => {
    expect(jsonExcess(String.raw`{"a":"[[[[,,,,,,\"[[[[,,,,"}`, limits)).toBeUndefined();
  });

  it('reads an unfinished string or escape to the end', () => {
    expect(jsonExcess('"abc', limits)).toBeUndefined();
    expect(jsonExcess('"abc\\', limits)).toBeUndefined();
  });

  it('judges a 4 MiB array of numbers without parsing it', () => {
    expect(jsonExcess(`[${'1,'.repeat(2_000_000)}1]`, { maxDepth: 100, maxElements: 100_000 })).toContain(
      'more than',
    );
  });
});
