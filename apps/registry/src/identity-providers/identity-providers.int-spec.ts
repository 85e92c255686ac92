import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
const usual = () => ({
  issuer: 'https://93.184.216.34/realms/one',
  audience: `audience-${++count}`,
  client_id: 'switchyard',
});
const create = (fields: Record<string, unknown> = {}, key?: string) =>
  registry().post('/api/identity-providers', { ...usual(), ...fields }, key);
const changesOf = (id: string) =>
  registry().owners.changes.filter((one) => one.id === id && one.entity === 'identity_provider');

describe('an identity provider', () => {
  it('is trusted with what is usual, changed and trusted no longer, and everybody is told', async () => {
    const { status, body } = await create();
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        name: '93.184.216.34',
        issuer: 'https://93.184.216.34/realms/one',
        client_id: 'switchyard',
        jwks_uri: null,
        scopes: ['openid', 'profile', 'email'],
        roles_claim: 'roles',
        admin_roles: ['admin'],
        auditor_roles: ['auditor'],
        enabled: true,
      },
    });
    const path = `/api/identity-providers/${body.id}`;
    expect((await registry().get(path)).body).toEqual(body);
    const changes = {
      name: 'Staff',
      jwks_uri: 'https://93.184.216.34/keys',
      roles_claim: 'realm_access.roles',
      admin_roles: [],
      enabled: false,
    };
    const changed = await registry().patch(path, changes);
    expect(changed).toMatchObject({ status: 200, body: { ...changes, audience: body.audience } });
    expect((await registry().send('DELETE', path)).status).toBe(204);
    expect((await registry().get(path)).status).toBe(404);
    expect((await registry().send('DELETE', path)).status).toBe(404);
    await eventually(() => changesOf(body.id).length === 3);
    expect(changesOf(body.id).map(({ change }) => change)).toEqual(['created', 'updated', 'deleted']);
  });

  it('is one organization’s alone, whoever asks', async () => {
    const { key } = await registry().organization('claims-it-too');
    const { body } = await create({ issuer: 'https://93.184.216.34/realms/alone' });
    const same = { issuer: body.issuer, audience: body.audience };
    expect(await create(same)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await create(same, key)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const { body: another } = await create();
    const moved = await registry().patch(`/api/identity-providers/${another.id}`, same);
    expect(moved).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(JSON.stringify(moved.body)).not.toContain(body.id);
  });

  it('of an issuer that another organization trusts is for the operator to allow', async () => {
    const issuer = 'https://93.184.216.34/realms/theirs';
    const [first, second] = [await registry().organization('first'), await registry().organization('second')];
    const { body: theirs } = await create({ issuer }, first.key);
    const side = { issuer, audience: 'account' };
    const refused = { status: 403, body: { code: 'forbidden' } };
    const answer = await create(side, second.key);
    expect(answer).toMatchObject(refused);
    expect(answer.body.detail).toContain(
      'Another organization trusts this issuer already; the operator has to allow it.',
    );
    for (const secret of [theirs.id, first.id, 'first'])
      expect(JSON.stringify(answer.body)).not.toContain(secret);
    const own = { issuer: 'https://93.184.216.34/realms/second' };
    const path = `/api/identity-providers/${(await create(own, second.key)).body.id}`;
    expect(await registry().patch(path, side, second.key)).toMatchObject(refused);
    expect((await create({ issuer }, first.key)).status).toBe(201);
    expect((await create(side)).status).toBe(201);
    const renamed = { audience: 'another', issuer };
    const mine = `/api/identity-providers/${theirs.id}`;
    expect(await registry().patch(mine, renamed, first.key)).toMatchObject(refused);
    expect((await registry().patch(mine, { name: 'Mine', issuer }, first.key)).status).toBe(200);
  });

  it('of two organizations that claim one issuer at once is one’s', async () => {
    const issuer = 'https://93.184.216.34/realms/contested';
    const keys: string[] = [];
    for (const slug of ['one', 'two', 'three', 'four']) keys.push((await registry().organization(slug)).key);
    const all = await Promise.all(keys.map((key) => create({ issuer }, key)));
    expect(all.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403]);
  });

  it('may have the longest names', async () => {
    const text = randomBytes(512).toString('hex');
    const issuer = `https://93.184.216.34/${text}`.slice(0, 1_024);
    expect((await create({ issuer, audience: text, client_id: text, roles_claim: text })).status).toBe(201);
  });

  it('of two at once is one’s', async () => {
    const fields = usual();
    const both = await Promise.all([create(fields), create(fields)]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it('is listed in pages, those of the organization', async () => {
    const { key } = await registry().organization('lists-providers');
    const ids = [];
    for (let n = 0; n < 3; n++)
      ids.push((await create({ issuer: 'https://93.184.216.34/realms/listed' }, key)).body.id);
    const first = (await registry().get('/api/identity-providers?limit=2', key)).body;
    const query = `limit=2&cursor=${first.next_cursor}`;
    const second = (await registry().get(`/api/identity-providers?${query}`, key)).body;
    expect([...first.items, ...second.items].map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(second.next_cursor).toBeNull();
    expect((await registry().get('/api/identity-providers?cursor=x', key)).status).toBe(400);
    expect((await registry().get('/api/identity-providers?name=x', key)).status).toBe(400);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ issuer: undefined }, 'issuer'],
    [{ issuer: 'accounts.example.com' }, 'issuer'],
    [{ issuer: 'file:///etc/passwd' }, 'issuer'],
    [{ issuer: 'https://93.184.216.34/?a=b' }, 'issuer'],
    [{ issuer: 'https://93.184.216.34/#a' }, 'issuer'],
    [{ issuer: `https://93.184.216.34/${'x'.repeat(2_048)}` }, 'issuer'],
    [{ issuer: 'https://93.184.216.34/ä' }, 'issuer'],
    [{ audience: '' }, 'audience'],
    [{ audience: 'x'.repeat(1_025) }, 'audience'],
    [{ audience: 'ä' }, 'audience'],
    [{ audience: undefined }, 'audience'],
    [{ client_id: undefined }, 'client_id'],
    [{ client_id: 'a\nb' }, 'client_id'],
    [{ client_id: 'half\ud800' }, 'client_id'],
    [{ jwks_uri: 'javascript:alert(1)' }, 'jwks_uri'],
    [{ scopes: ['two words'] }, 'scopes.0'],
    [{ roles_claim: '' }, 'roles_claim'],
    [{ admin_roles: [''] }, 'admin_roles.0'],
    [{ auditor_roles: 'auditor' }, 'auditor_roles'],
    [{ enabled: 'yes' }, 'enabled'],
    [{ client_secret: 'x' }, 'client_secret'],
  ])('is refused with %j', async (fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it.each([
    ['issuer', 'https://127.0.0.1'],
    ['issuer', 'http://93.184.216.34'],
    ['issuer', 'https://user:password@93.184.216.34'],
    ['jwks_uri', 'https://169.254.169.254/keys'],
    ['jwks_uri', 'https://localhost/keys'],
    ['jwks_uri', 'https://[::ffff:10.0.0.1]/keys'],
  ])('with the %s %s is not allowed out', async (field, url) => {
    const denied = {
      status: 403,
      body: { code: 'egress_denied', detail: expect.stringContaining(`${field}:`) },
    };
    expect(await create({ [field]: url })).toMatchObject(denied);
    const { body } = await create();
    expect(await registry().patch(`/api/identity-providers/${body.id}`, { [field]: url })).toMatchObject(
      denied,
    );
    expect((await registry().get(`/api/identity-providers/${body.id}`)).body).toEqual(body);
  });

  it('is not changed by nothing, nor by what it has not', async () => {
    const { body } = await create();
    for (const changes of [{}, { organization_id: body.id }, { id: body.id }, { enabled: null }])
      expect((await registry().patch(`/api/identity-providers/${body.id}`, changes)).status).toBe(400);
  });
});
