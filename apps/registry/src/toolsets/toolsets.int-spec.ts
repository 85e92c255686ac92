import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
const slug = () => `set-${++count}`;
const create = (fields: Record<string, unknown> = {}, key?: string) =>
  registry().post('/api/toolsets', { slug: slug(), name: 'A set', ...fields }, key);
const published = (id: string) =>
  asAdmin(
    registry().database.adminUrl,
    async (client) => (await client.query('SELECT * FROM registry.v_toolsets WHERE id = $1', [id])).rows,
  );
const config = (mcp_client_name: string, tools?: object) => ({
  mcp_client_name,
  tools_to_execute: ['*'],
  ...(tools && { tools }),
});

describe('a toolset', () => {
  it('is empty and nobody’s unless it says more, and says its address', async () => {
    const { status, body } = await create({ slug: 'my_kit' });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        ...{
          slug: 'my-kit',
          path: '/mcp/my-kit',
          description: null,
          is_active: true,
          prefix: true,
          tool_mode: 'all',
        },
        ...{ mcp_configs: [], virtual_key_ids: [], user_ids: [], roles: [] },
      },
    });
    expect((await registry().get(`/api/toolsets/${body.id}`)).body).toEqual(body);
  });

  it('holds tools under other names, is attached, warns of clients that are not there, and is published', async () => {
    await registry().integration({ slug: 'wiki' });
    const { body: key } = await registry().post('/api/virtual-keys', { name: 'ci' });
    const user = await registry().user('ann');
    const fields = {
      description: 'For the night shift.',
      prefix: false,
      tool_mode: 'search',
      mcp_configs: [
        { ...config('wiki', { read: { name: 'look-up', description: 'Looks it up.' } }), prompts: false },
        config('later'),
      ],
      virtual_key_ids: [key.id],
      user_ids: [user],
      roles: ['ops'],
    };
    const { body } = await create(fields);
    expect(body).toMatchObject({ ...fields, warnings: [expect.stringContaining('"later"')] });
    expect(await published(body.id)).toMatchObject([fields]);
  });

  it('is changed, switched off and removed, and everybody is told', async () => {
    const { body } = await create();
    const path = `/api/toolsets/${body.id}`;
    const changes = { name: 'Other', is_active: false, roles: ['a'], tool_mode: 'search' };
    expect(await registry().patch(path, changes)).toMatchObject({ status: 200, body: changes });
    expect(await published(body.id)).toEqual([]);
    expect((await registry().send('DELETE', path)).status).toBe(204);
    for (const answer of [await registry().get(path), await registry().send('DELETE', path)])
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const told = () => registry().owners.changes.filter(({ id }) => id === body.id);
    await eventually(() => told().length === 3);
    expect(told().map(({ entity, change }) => [entity, change])).toEqual([
      ['toolset', 'created'],
      ['toolset', 'updated'],
      ['toolset', 'deleted'],
    ]);
  });

  it('has a slug that is its organization’s own and never changes', async () => {
    const taken = slug();
    const { body } = await create({ slug: taken });
    expect(await create({ slug: taken })).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
    const { key } = await registry().organization('has-sets-too');
    expect((await create({ slug: taken }, key)).status).toBe(201);
    expect((await registry().patch(`/api/toolsets/${body.id}`, { slug: 'other' })).status).toBe(400);
  });

  it('is never attached to what another organization has, nor to nobody', async () => {
    const neighbour = await registry().organization('attached');
    const { body: theirKey } = await registry().post('/api/virtual-keys', { name: 'x' }, neighbour.key);
    const theirUser = await registry().user('their-user', neighbour.id);
    const { body } = await create();
    const attachments = [
      { virtual_key_ids: [theirKey.id] },
      { user_ids: [theirUser] },
      { virtual_key_ids: ['00000000-0000-4000-8000-00000000ffff'] },
      { user_ids: ['ann'] },
    ];
    for (const given of attachments) {
      for (const answer of [await create(given), await registry().patch(`/api/toolsets/${body.id}`, given)]) {
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
        expect(answer.body.errors[0].path).toBe(`${Object.keys(given)[0]}.0`);
      }
    }
    expect((await create({ virtual_key_ids: [theirKey.id] }, neighbour.key)).status).toBe(201);
  });

  it('gives no name to two tools, whether the body or the row before says so', async () => {
    const two = [config('a', { x: { name: 'n' } }), config('b', { y: { name: 'n' } })];
    expect((await create({ mcp_configs: two })).status).toBe(201);
    const bare = await create({ mcp_configs: two, prefix: false });
    expect(bare).toMatchObject({ status: 400, body: { errors: [{ path: 'mcp_configs.1.tools.y.name' }] } });
    const inOne = [config('a', { x: { name: 'n' }, y: { name: 'n' } })];
    expect((await create({ mcp_configs: inOne })).status).toBe(400);
    const { body } = await create({ mcp_configs: two });
    expect((await registry().patch(`/api/toolsets/${body.id}`, { prefix: false })).status).toBe(400);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ slug: 'Upper' }, 'slug'],
    [{ name: '' }, 'name'],
    [{ tool_mode: 'some' }, 'tool_mode'],
    [{ prefix: 'no' }, 'prefix'],
    [{ roles: [''] }, 'roles.0'],
    [{ mcp_configs: [config('a-b'), config('a_b')] }, 'mcp_configs'],
    [{ mcp_configs: [config('a', { x: { name: 'two words' } })] }, 'mcp_configs.0.tools.x.name'],
    [{ mcp_configs: [config('a', { x: { name: 'é' } })] }, 'mcp_configs.0.tools.x.name'],
    [{ mcp_configs: [config('a', { x: { safe: true } })] }, 'mcp_configs.0.tools.x'],
    [{ organization_id: '00000000-0000-4000-8000-00000000ffff' }, 'organization_id'],
  ])('is refused with %j', async (fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it('is listed in pages, those of the organization', async () => {
    const { key } = await registry().organization('lists-sets');
    for (const name of ['a', 'b', 'c']) await create({ name }, key);
    const names = async (query: string) =>
      (await registry().get(`/api/toolsets${query}`, key)).body.items.map(
        (one: { name: string }) => one.name,
      );
    const first = (await registry().get('/api/toolsets?limit=2', key)).body;
    expect(await names('?limit=2')).toEqual(['a', 'b']);
    expect(await names(`?limit=2&cursor=${first.next_cursor}`)).toEqual(['c']);
  });
});
