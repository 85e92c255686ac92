import { describe, expect, it } from '@jest/globals';
import { DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const updatesOf = (userId: string) =>
  registry().owners.changes.filter(
    ({ entity, id, change }) => entity === 'user' && id === userId && change === 'updated',
  );
const inactive = () =>
  asAdmin(registry().database.adminUrl, async (client) => {
    const { rows } = await client.query<{ id: string }>('SELECT id FROM registry.v_inactive_users');
    return rows.map(({ id }) => id);
  });

describe('a user', () => {
  it('is shown as the last token had them', async () => {
    const id = await registry().user('ada');
    expect(await registry().get(`/api/users/${id}`)).toMatchObject({
      status: 200,
      body: {
        id,
        organization_id: DEFAULT_ORGANIZATION_ID,
        issuer: 'https://id.example',
        subject: 'ada',
        username: 'ada',
        email: 'ada@example.com',
        display_name: null,
        roles: [],
        active: true,
      },
    });
  });

  it('is deactivated and let in again, and everybody is told, once each', async () => {
    const id = await registry().user('comes-and-goes');
    const set = (active: boolean) => registry().patch(`/api/users/${id}`, { active });
    expect(await set(false)).toMatchObject({ status: 200, body: { active: false } });
    expect((await set(false)).status).toBe(200);
    expect(await inactive()).toContain(id);
    expect(await registry().user('comes-and-goes')).toBe(id);
    expect((await registry().get(`/api/users/${id}`)).body.active).toBe(false);
    expect(await set(true)).toMatchObject({ status: 200, body: { active: true } });
    expect(await inactive()).not.toContain(id);
    await eventually(() => updatesOf(id).length === 2);
  });

  it.each([{}, { active: 'no' }, { active: null }, { roles: ['admin'] }, { active: true, username: 'x' }])(
    'is not changed by %j',
    async (changes) => {
      const id = await registry().user('stays');
      expect(await registry().patch(`/api/users/${id}`, changes)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
    },
  );

  it('is neither made nor deleted by admins', async () => {
    const id = await registry().user('for-good');
    expect((await registry().send('DELETE', `/api/users/${id}`)).status).toBe(404);
    expect((await registry().post('/api/users', { username: 'made' })).status).toBe(404);
  });

  it('is listed by name, address and activity, in pages', async () => {
    const { id: orgId, key } = await registry().organization('lists-users');
    const ids: string[] = [];
    for (const name of ['Ann', 'ben', 'cleo']) ids.push(await registry().user(name, orgId));
    await registry().patch(`/api/users/${ids[1]}`, { active: false }, key);
    const names = async (query: string) =>
      (await registry().get(`/api/users${query}`, key)).body.items.map(
        (one: { username: string }) => one.username,
      );
    expect(await names('')).toEqual(['Ann', 'ben', 'cleo']);
    expect(await names('?username=ANN')).toEqual(['Ann']);
    expect(await names('?username=An')).toEqual([]);
    expect(await names('?username=%25')).toEqual([]);
    expect(await names('?email=CLEO@example.com')).toEqual(['cleo']);
    expect(await names('?active=false')).toEqual(['ben']);
    expect(await names('?active=true&username=ben')).toEqual([]);
    const first = (await registry().get('/api/users?limit=2', key)).body;
    expect(await names(`?limit=2&cursor=${first.next_cursor}`)).toEqual(['cleo']);
    for (const query of ['?active=maybe', '?username=', '?subject=x', '?limit=0', '?cursor=x'])
      expect((await registry().get(`/api/users${query}`, key)).status).toBe(400);
  });
});
