import { describe, expect, it } from '@jest/globals';
import { organizationMeant } from './organization-meant.js';
import type { TrustedIssuer } from './trusted-issuer.js';

const issuer = (orgId: string, url: string): TrustedIssuer => ({
  ...{
    id: `${orgId} ${url}`,
    orgId,
    issuer: url,
    audience: 'us',
    jwksUri: null,
    rolesClaim: 'roles',
    enabled: true,
  },
});
const issuers = [
  issuer('one', 'https://one.example'),
  issuer('one', 'https://one.example'),
  issuer('two', 'https://shared.example'),
  issuer('three', 'https://shared.example'),
];
const tokenOf = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;

describe('organizationMeant', () => {
  it.each([
    [{ iss: 'https://one.example' }, 'one'],
    [{ iss: 'https://shared.example' }, null],
    [{ iss: 'https://nobody.example' }, null],
    [{ iss: 7 }, null],
    [{}, null],
  ])('for %j is %s', (claims, expected) => {
    expect(organizationMeant(tokenOf(claims), issuers)).toBe(expected);
  });

  it('for what is no token is nobody', () => {
    expect(organizationMeant('eyJ..', issuers)).toBeNull();
    expect(organizationMeant('', issuers)).toBeNull();
  });
});
