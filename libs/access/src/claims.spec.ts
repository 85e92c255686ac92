import { describe, expect, it } from '@jest/globals';
import { workOf } from '@switchyard/testing';
import { idOf, orgId, policy, snapshotOf } from '../test-fixtures/snapshot-builder.js';
import { judgeClaim } from './claim-matcher.js';
import { leftOutClaims, policyClaimPaths, projectClaims } from './claims.js';
import type { ClaimMatcher } from './grant-records.js';

describe('the claims that travel', () => {
  it('are those that the organization’s own policies ask for', () => {
    const matcher = (path: string) => ({ path, operator: 'EXISTS' }) as const;
    const policies = [
      policy({ matchers: [matcher('dept'), matcher('realm.roles')] }),
      policy({ matchers: [matcher('dept')], effect: 'deny' }),
      policy({ matchers: [matcher('foreign')], orgId: idOf('others') }),
    ];
    expect(policyClaimPaths(snapshotOf([], [], { policies }), orgId)).toEqual(['dept', 'realm.roles']);
  });

  it('are found by dotted path, or by a whole name that holds dots; what is absent or null is left out', () => {
    const token = {
      dept: 'ops',
      realm: { roles: ['a'], secret: 'x' },
      'https://example.com/team': 'b',
      nothing: null,
      constructor: { name: 'own' },
    };
    const paths = [
      'dept',
      'realm.roles',
      'https://example.com/team',
      'nothing',
      'gone.deep',
      'toString.name',
    ];
    expect(projectClaims(token, paths)).toEqual({
      dept: 'ops',
      'realm.roles': ['a'],
      'https://example.com/team': 'b',
    });
  });

  it('are 8 kB at most: the largest are left out, and said to be', () => {
    const groups = Array.from({ length: 2_000 }, (_, n) => `group-${n}`);
    const projected = projectClaims({ groups, dept: 'ops' }, ['groups', 'dept']);
    expect(projected).toEqual({ dept: 'ops', [leftOutClaims]: ['groups'] });
    expect(projectClaims(projected, ['groups', 'dept'])).toEqual(projected);
    expect(projectClaims(projected, ['dept'])).toEqual({ dept: 'ops' });
  });
});

describe('a matcher', () => {
  const claims = { dept: 'sales', level: 3, teams: ['a', 'b'], nested: { b: 1, a: [true] }, empty: null };
  const judge = (operator: ClaimMatcher['operator'], path: string, value?: unknown) =>
    judgeClaim({ path, operator, value }, claims) === 'match';

  it.each<[ClaimMatcher['operator'], string, unknown, boolean]>([
    ['EQUALS', 'dept', 'sales', true],
    ['EQUALS', 'dept', 'Sales', false],
    ['EQUALS', 'level', 3, true],
    ['EQUALS', 'level', '3', false],
    ['EQUALS', 'teams', ['a', 'b'], true],
    ['EQUALS', 'teams', ['b', 'a'], false],
    ['EQUALS', 'nested', { a: [true], b: 1 }, true],
    ['EQUALS', 'nested', { a: [true], b: 1, c: 2 }, false],
    ['NOT_EQUALS', 'dept', 'ops', true],
    ['NOT_EQUALS', 'dept', 'sales', false],
    ['CONTAINS', 'teams', 'b', true],
    ['CONTAINS', 'teams', 'c', false],
    ['CONTAINS', 'dept', 'ale', true],
    ['CONTAINS', 'level', 3, false],
    ['NOT_CONTAINS', 'teams', 'c', true],
    ['NOT_CONTAINS', 'teams', 'a', false],
    ['NOT_CONTAINS', 'level', 4, false],
    ['MATCHES', 'dept', 's.*s', true],
    ['MATCHES', 'dept', 'sale', false],
    ['MATCHES', 'dept', 'x|sales', true],
    ['MATCHES', 'teams', '[b-c]', true],
    ['MATCHES', 'level', '3', false],
    ['MATCHES', 'dept', '(', false],
    ['EXISTS', 'level', undefined, true],
    ['IN', 'dept', ['ops', 'sales'], true],
    ['IN', 'teams', ['x', 'b'], true],
    ['IN', 'dept', ['ops'], false],
    ['IN', 'dept', 'sales', false],
    ['NOT_IN', 'dept', ['ops'], true],
    ['NOT_IN', 'teams', ['b'], false],
  ])('%s %s %j is %s', (operator, path, value, expected) => {
    expect(judge(operator, path, value)).toBe(expected);
  });

  it.each(['EQUALS', 'NOT_EQUALS', 'CONTAINS', 'NOT_CONTAINS', 'MATCHES', 'EXISTS', 'IN', 'NOT_IN'] as const)(
    '%s never matches what is absent or null, or a token without claims',
    (operator) => {
      for (const path of ['gone', 'empty', 'toString', '__proto__', leftOutClaims])
        expect(judge(operator, path, ['x'])).toBe(false);
      expect(judgeClaim({ path: 'dept', operator, value: 'x' }, undefined)).toBe('no_match');
    },
  );

  it('does not know what a claim that was too large says', () => {
    const left = { [leftOutClaims]: ['groups'] };
    expect(judgeClaim({ path: 'groups', operator: 'CONTAINS', value: 'a' }, left)).toBe('unknown');
  });

  it('does not know whether a text that is longer than any value matches a pattern', () => {
    const long = 'a'.repeat(1_001);
    const judgeLong = (claim: unknown, value: string) =>
      judgeClaim({ path: 'dept', operator: 'MATCHES', value }, { dept: claim });
    for (const value of ['a*', '[a-z]{1,5000}', 'b']) expect(judgeLong(long, value)).toBe('unknown');
    expect(judgeLong([long, 'b'], 'b')).toBe('match');
    expect(judgeLong(['a', long], 'b')).toBe('unknown');
    expect(judgeLong(['a'.repeat(1_000), 1], 'b')).toBe('no_match');
  });

  it('takes linear time, however the pattern and the claim are made', () => {
    const hostile = { teams: Array.from({ length: 8 }, () => `${'a'.repeat(999)}!`) };
    const judge = (value: string) =>
      expect(judgeClaim({ path: 'teams', operator: 'MATCHES', value }, hostile)).toBe('no_match');
    expect(workOf(() => ['(a+)+', '(a|aa)+$'].forEach(judge))).toBeLessThan(500);
  });
});
