import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, TokenIssuer } from '@switchyard/testing';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';
import type { Answer } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry({ allowPrivate: true });
let staff: TokenIssuer;
let organization: { id: string; key: string };
let providerId: string;
beforeAll(async () => {
  staff = await TokenIssuer.start();
  organization = await registry().organization('staffed');
  ({ id: providerId } = await registry().trust(staff, {}, organization.key));
});
afterAll(() => staff.close());

const token = (claims: Record<string, unknown> = {}, rest: object = {}) =>
  staff.sign({ claims: { sub: 'ada', preferred_username: 'ada', roles: ['admin'], ...claims }, ...rest });
const refusal = ({ status, body }: Answer) => ({ status, code: body.code });

describe('a user with an admin’s role', () => {
  it('is an admin of the provider’s organization, and of no other', async () => {
    const jwt = await token();
    const { body: policy } = await registry().post('/api/policies', { name: 'mine' }, jwt);
    expect(policy.organization_id).toBe(organization.id);
    expect((await registry().get(`/api/policies/${policy.id}`, organization.key)).status).toBe(200);
    expect((await registry().get(`/api/policies/${policy.id}`)).status).toBe(404);
    const { body: users } = await registry().get('/api/users?username=ada', jwt);
    expect(users.items).toMatchObject([{ subject: 'ada', issuer: staff.issuer, roles: ['admin'] }]);
  });

  it('never is the operator, even in the operator’s organization', async () => {
    const ours = await registry().trust(staff, { audience: 'default-organization' });
    const jwt = await token({ aud: 'default-organization' });
    for (const answer of [
      await registry().get('/api/organizations', jwt),
      await registry().post('/api/organizations', { slug: 'sneaky', name: 'Sneaky' }, jwt),
      await registry().post(
        '/api/integrations',
        { slug: 'sneaky', scope: 'global', transport: { type: 'http', url: 'https://93.184.216.34/' } },
        jwt,
      ),
      await registry().post(`/api/organizations/${organization.id}/admin-key`, undefined, jwt),
    ])
      expect([403, 404]).toContain(answer.status);
    await registry().send('DELETE', `/api/identity-providers/${ours.id}`);
    expect(refusal(await registry().get('/api/users', jwt))).toEqual({
      status: 401,
      code: 'unauthenticated',
    });
  });

  it('has it by the claim and the roles that the provider names', async () => {
    const provider = await registry().trust(
      staff,
      { audience: 'nested', roles_claim: 'realm_access.roles', admin_roles: ['owner', 'root'] },
      organization.key,
    );
    const nested = (roles: unknown) => token({ aud: 'nested', realm_access: { roles } });
    expect((await registry().get('/api/users', await nested(['root']))).status).toBe(200);
    expect(refusal(await registry().get('/api/users', await nested(['admin'])))).toMatchObject({
      status: 403,
    });
    await registry().patch(`/api/identity-providers/${provider.id}`, { admin_roles: [] }, organization.key);
    expect(refusal(await registry().get('/api/users', await nested(['root'])))).toMatchObject({
      status: 403,
    });
  });

  it('is refused from the moment that they are deactivated, and does not deactivate themself', async () => {
    const jwt = await token({ sub: 'leaves' });
    const [user] = (await registry().get('/api/users', jwt)).body.items.filter(
      (one: { subject: string }) => one.subject === 'leaves',
    );
    const path = `/api/users/${user.id}`;
    expect(refusal(await registry().patch(path, { active: false }, jwt))).toEqual({
      status: 409,
      code: 'conflict',
    });
    await registry().patch(path, { active: false }, await token());
    expect(refusal(await registry().get('/api/users', jwt))).toEqual({ status: 403, code: 'user_inactive' });
  });
});

describe('a token that opens nothing', () => {
  it.each<[string, () => Promise<string>, { status: number; code: string }]>([
    ['without the role', () => token({ roles: ['engineer'] }), { status: 403, code: 'forbidden' }],
    ['of an auditor', () => token({ roles: ['auditor'] }), { status: 403, code: 'forbidden' }],
    ['without roles', () => token({ roles: undefined }), { status: 403, code: 'forbidden' }],
    ['past its time', () => token({}, { lifetimeSeconds: -1 }), { status: 401, code: 'token_expired' }],
    ['for another audience', () => token({ aud: 'other' }), { status: 401, code: 'unauthenticated' }],
    [
      'of another issuer',
      () => token({ iss: 'https://evil.example' }),
      { status: 401, code: 'unauthenticated' },
    ],
    [
      'of an unknown key',
      () => token({}, { header: { kid: 'x' } }),
      { status: 401, code: 'unauthenticated' },
    ],
    [
      'with a bad signature',
      async () => `${(await token()).slice(0, -9)}A`,
      { status: 401, code: 'unauthenticated' },
    ],
    [
      'that is unsigned',
      async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${(await token()).split('.')[1]}.`,
      { status: 401, code: 'unauthenticated' },
    ],
  ])('%s says why', async (_what, make, expected) => {
    const answer = await registry().get('/api/integrations', await make());
    expect(refusal(answer)).toEqual(expected);
    const challenge = answer.headers.get('www-authenticate');
    if (expected.status === 401) expect(challenge).toMatch(/^Bearer .*error="invalid_token"/);
    else expect(challenge).toBeNull();
  });

  it('says nothing of what it holds', async () => {
    const { body } = await registry().get(
      '/api/integrations',
      await token({ aud: 'canary-audience', sub: 'canary' }),
    );
    expect(JSON.stringify(body)).not.toContain('canary');
  });

  it('is not taken in another header, nor as another scheme', async () => {
    const jwt = await token();
    for (const [name, value] of [
      ['x-api-key', jwt],
      ['authorization', `Basic ${jwt}`],
      ['authorization', jwt],
    ] as const) {
      const answer = await registry().send('GET', '/api/users', { key: null, headers: { [name]: value } });
      expect(answer.status).toBe(401);
    }
  });

  it('of a provider that is switched off opens nothing from the next request on', async () => {
    const jwt = await token();
    const path = `/api/identity-providers/${providerId}`;
    expect((await registry().get('/api/users', jwt)).status).toBe(200);
    await registry().patch(path, { enabled: false }, organization.key);
    expect(refusal(await registry().get('/api/users', jwt))).toEqual({
      status: 401,
      code: 'unauthenticated',
    });
    await registry().patch(path, { enabled: true }, organization.key);
    expect((await registry().get('/api/users', jwt)).status).toBe(200);
  });

  it('of a provider whose keys are out of reach is nobody’s fault', async () => {
    const away = await TokenIssuer.start();
    await registry().trust(away, {}, organization.key);
    const jwt = await away.sign({ claims: { roles: ['admin'] } });
    await away.close();
    const answer = await registry().get('/api/users', jwt);
    expect(refusal(answer)).toEqual({ status: 503, code: 'dependency_unavailable' });
    expect((await registry().get('/api/users', await token())).status).toBe(200);
  });

  it('of a provider that answers by the byte, or elsewhere, is not waited for', async () => {
    const slow = await TokenIssuer.start();
    slow.answers.set('/keys', (response) => {
      const drip = setInterval(() => response.write(' '), 100);
      response.on('close', () => clearInterval(drip));
    });
    await registry().trust(slow, {}, organization.key);
    const jwt = await slow.sign({ claims: { roles: ['admin'] } });
    expect(refusal(await registry().get('/api/users', jwt))).toMatchObject({ status: 503 });
    await slow.close();
    const elsewhere = await TokenIssuer.start();
    elsewhere.answers.set('/keys', (response) => {
      response.writeHead(302, { location: `${elsewhere.issuer}/keys2` }).end();
    });
    await registry().trust(elsewhere, {}, organization.key);
    const other = await elsewhere.sign({ claims: { roles: ['admin'] } });
    expect(refusal(await registry().get('/api/users', other))).toMatchObject({ status: 503 });
    expect(elsewhere.asked).not.toContain('/keys2');
    await elsewhere.close();
  });
});

describe('refusals', () => {
  it('are audited, a few of many, and nobody waits for it', async () => {
    const { audited } = registry().owners;
    const jwt = await token({ roles: ['engineer'], sub: 'curious' });
    // The window of the tests before ends first.
    await eventually(
      async () => {
        await registry().get('/api/users', jwt);
        return audited.some(({ actor, code }) => actor.kind === 'user' && code === 'forbidden');
      },
      { timeoutMs: 15_000 },
    );
    const [forbidden] = audited.filter(({ code }) => code === 'forbidden');
    expect(forbidden).toMatchObject({
      orgId: organization.id,
      action: 'caller_refused',
      result: 'refused',
      actor: { kind: 'user', id: expect.any(String) },
      details: { face: 'admin_api', route: 'GET /api/users' },
    });
    const before = audited.length;
    for (let n = 0; n < 50; n++) await registry().get('/api/users', `ak_canary-${n}`);
    expect(audited.length - before).toBeLessThanOrEqual(40);
    const anonymous = await eventually(
      async () => {
        await registry().get('/api/users', 'ak_canary');
        return audited.find(({ code, details }) => code === 'unauthenticated' && details.untold);
      },
      { timeoutMs: 15_000 },
    );
    expect(anonymous).toMatchObject({ orgId: null, actor: { kind: 'anonymous', id: null } });
    expect(JSON.stringify(audited)).not.toContain('canary');
    expect(JSON.stringify(audited)).not.toContain(jwt.split('.')[1]);
  }, 60_000);
});
