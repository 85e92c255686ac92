import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const create = (fields: Record<string, unknown> = {}, key?: string) =>
  registry().post('/api/policies', { name: 'engineers', ...fields }, key);
const published = (id: string) =>
  asAdmin(
    registry().database.adminUrl,
    async (client) => (await client.query('SELECT * FROM registry.v_policies WHERE id = $1', [id])).rows,
  );

describe('a policy', () => {
  it('grants nothing to everybody unless it says more', async () => {
    const { status, body } = await create();
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { name: 'engineers', roles: null, mcp_configs: [], is_active: true },
    });
    expect(body.warnings).toBeUndefined();
  });

  it('grants by roles, warns of clients that are not there, and is published', async () => {
    await registry().integration({ slug: 'wiki' });
    const mcp_configs = [
      { mcp_client_name: 'wiki', tools_to_execute: ['read'] },
      { mcp_client_name: 'later', tools_to_execute: null },
    ];
    const { body } = await create({ roles: ['engineer'], mcp_configs });
    expect(body).toMatchObject({
      roles: ['engineer'],
      mcp_configs,
      warnings: [expect.stringContaining('"later"')],
    });
    expect(await published(body.id)).toMatchObject([{ roles: ['engineer'], mcp_configs }]);
  });

  it('is changed, switched off and removed, and everybody is told', async () => {
    const { body } = await create({ roles: ['a'] });
    const path = `/api/policies/${body.id}`;
    const changes = { name: 'All', roles: null, is_active: false, mcp_configs: [] };
    expect(await registry().patch(path, changes)).toMatchObject({ status: 200, body: changes });
    expect(await published(body.id)).toEqual([]);
    expect((await registry().patch(path, { roles: [] })).body).toMatchObject({ roles: [], name: 'All' });
    expect((await registry().send('DELETE', path)).status).toBe(204);
    for (const answer of [await registry().get(path), await registry().send('DELETE', path)])
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const told = () =>
      registry()
        .owners.changes.filter(({ entity, id }) => entity === 'policy' && id === body.id)
        .map(({ change }) => change);
    await eventually(() => told().length === 4);
    expect(told()).toEqual(['created', 'updated', 'updated', 'deleted']);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ name: '' }, 'name'],
    [{ name: undefined }, 'name'],
    [{ roles: 'engineer' }, 'roles'],
    [{ roles: [''] }, 'roles.0'],
    [{ roles: ['a\0'] }, 'roles.0'],
    [{ roles: Array.from({ length: 65 }, (_, n) => `${n}`) }, 'roles'],
    [{ mcp_configs: [{ tools_to_execute: ['*'] }] }, 'mcp_configs.0.mcp_client_name'],
    [{ mcp_configs: [{ mcp_client_name: 'a-b' }, { mcp_client_name: 'a_b' }] }, 'mcp_configs'],
    [{ is_active: 1 }, 'is_active'],
    [{ claims: {} }, 'claims'],
  ])('is refused with %j', async (fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it('is not changed by nothing, nor by what it has not', async () => {
    const { body } = await create();
    for (const changes of [{}, { organization_id: body.id }, { id: body.id }])
      expect((await registry().patch(`/api/policies/${body.id}`, changes)).status).toBe(400);
  });

  it('is listed in pages, those of the organization', async () => {
    const { key } = await registry().organization('lists-policies');
    for (const name of ['a', 'b', 'c']) await create({ name }, key);
    const names = async (query: string) =>
      (await registry().get(`/api/policies${query}`, key)).body.items.map(
        (one: { name: string }) => one.name,
      );
    const first = (await registry().get('/api/policies?limit=2', key)).body;
    expect(await names('?limit=2')).toEqual(['a', 'b']);
    expect(await names(`?limit=2&cursor=${first.next_cursor}`)).toEqual(['c']);
    expect((await registry().get('/api/policies?roles=a', key)).status).toBe(400);
  });
});
