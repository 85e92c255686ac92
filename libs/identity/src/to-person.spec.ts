import { describe, expect, it } from '@jest/globals';
import { toPerson } from './to-person.js';

const provider = (rolesClaim = 'roles') => ({
  id: 'p',
  orgId: 'o',
  issuer: 'https://id',
  audience: 'a',
  jwksUri: null,
  rolesClaim,
  enabled: true,
});
const rolesOf = (claims: Record<string, unknown>, path?: string) =>
  toPerson(provider(path), { sub: 'ada', exp: 1, ...claims }).roles;

describe('roles', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ['roles', { roles: ['a', 'b', 'a'] }, ['a', 'b']],
    ['roles', { roles: 'a' }, ['a']],
    ['roles', {}, []],
    ['roles', { roles: null }, []],
    ['roles', { roles: { a: true } }, []],
    ['roles', { roles: ['a', 1, null, '', ['b'], 'x'.repeat(129), 'nul\0', 'half\ud800'] }, ['a']],
    ['realm_access.roles', { realm_access: { roles: ['a'] } }, ['a']],
    ['realm_access.roles', { realm_access: ['roles'] }, []],
    ['realm_access.roles', { realm_access: 'roles' }, []],
    ['https://example.com/roles', { 'https://example.com/roles': ['a'] }, ['a']],
    ['__proto__.roles', {}, []],
    ['constructor.name', {}, []],
    ['roles.length', { roles: ['a'] }, []],
  ])('by %s of %j are %j', (path, claims, roles) => {
    expect(rolesOf(claims, path)).toEqual(roles);
  });

  it('are at most 64', () => {
    expect(rolesOf({ roles: Array.from({ length: 100 }, (_, n) => `r${n}`) })).toHaveLength(64);
  });
});

describe('names', () => {
  it('that nobody could read are left out', () => {
    const claims = { preferred_username: 'a\nb', name: 'x'.repeat(256), email: 7 };
    expect(toPerson(provider(), { sub: 'ada', ...claims } as never)).toMatchObject({
      username: null,
      displayName: null,
      email: null,
    });
  });

  it('that the provider has not verified are left out', () => {
    const email = 'ada@example.com';
    expect(toPerson(provider(), { sub: 'ada', email, email_verified: false }).email).toBeNull();
    expect(toPerson(provider(), { sub: 'ada', email, email_verified: true }).email).toBe(email);
  });
});
