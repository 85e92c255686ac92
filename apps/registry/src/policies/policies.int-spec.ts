import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { listTools, wire } from '../../test-fixtures/catalog-rows.js';
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
    expect(body.warnings).toEqual([expect.stringContaining('allows nothing')]);
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

  it('is saved with warnings of what is hardly meant', async () => {
    const { id } = await registry().integration({ slug: 'typo' });
    await listTools(registry().database.adminUrl, id, [{ wire: wire('read') }]);
    const of = (...tools: string[]) => [{ mcp_client_name: 'typo', tools_to_execute: tools }];
    const exists = (path: string) => ({ path, operator: 'EXISTS' });
    const { body } = await create({
      ...{ roles: [], effect: 'deny', mcp_configs: of('read', 'typo_read', 'raed') },
      matchers: [exists('$.dept'), exists('teams[0]'), exists('https://example.com/team'), exists('a.b')],
    });
    expect(body.warnings).toEqual([
      expect.stringContaining('nobody'),
      expect.stringContaining('"$.dept"'),
      expect.stringContaining('"teams[0]"'),
      '"typo" has no tool "raed" yet.',
    ]);
    const right = { roles: null, matchers: [], mcp_configs: of('*') };
    const { body: changed } = await registry().patch(`/api/policies/${body.id}`, right);
    expect(changed.warnings).toBeUndefined();
    const { body: emptied } = await registry().patch(`/api/policies/${body.id}`, { mcp_configs: of() });
    expect(emptied.warnings).toEqual([expect.stringContaining('denies nothing')]);
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
    [{ effect: 'maybe' }, 'effect'],
    [{ priority: 1.5 }, 'priority'],
    [{ matchers: [{ path: 'a', operator: 'LIKE', value: 'x' }] }, 'operator'],
    [{ matchers: [{ path: '', operator: 'EXISTS' }] }, 'matchers.0.path'],
    [{ matchers: [{ path: '$left_out', operator: 'EXISTS' }] }, 'matchers.0.path'],
    [{ matchers: [{ path: 'exp', operator: 'EXISTS' }] }, 'is of the token'],
    [{ matchers: [{ path: 'nonce', operator: 'EQUALS', value: 'x' }] }, 'is of the token'],
    [{ matchers: [{ path: 'a', operator: 'EXISTS', value: 1 }] }, 'matchers.0'],
    [{ matchers: [{ path: 'a', operator: 'EQUALS' }] }, 'matchers.0.value'],
    [{ matchers: [{ path: 'a', operator: 'EQUALS', value: null }] }, 'matchers.0.value'],
    [{ matchers: [{ path: 'a', operator: 'IN', value: 'x' }] }, 'matchers.0.value'],
    [{ matchers: [{ path: 'a', operator: 'MATCHES', value: '(' }] }, 'not a regular expression'],
    [{ matchers: [{ path: 'a', operator: 'MATCHES', value: '(?!a).' }] }, 'linear time'],
    [{ group_ids: ['00000000-0000-4000-8000-00000000ffff'] }, 'group_ids.0'],
  ])('is refused with %j', async (fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it('asks for claims, denies, has a priority, and is published so', async () => {
    const fields = {
      matchers: [
        { path: 'dept', operator: 'EQUALS', value: 'ops' },
        { path: 'realm.roles', operator: 'IN', value: ['a', 2, true] },
        { path: 'mail', operator: 'MATCHES', value: '.*@example\\.com' },
        { path: 'level', operator: 'EXISTS' },
      ],
      effect: 'deny',
      priority: 10,
    };
    const { status, body } = await create(fields);
    expect({ status, body }).toMatchObject({ status: 201, body: fields });
    expect(await published(body.id)).toMatchObject([{ ...fields, group_ids: [] }]);
    const { body: plain } = await create();
    expect(plain).toMatchObject({ matchers: [], effect: 'allow', priority: 0, group_ids: [] });
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

describe('a preview of policies', () => {
  it('says what a user with such claims and roles would have, and of nobody else’s', async () => {
    const { id: orgId, key } = await registry().organization('previews');
    const { id } = await registry().integration({ slug: 'wiki' }, key);
    await listTools(registry().database.adminUrl, id, [{ wire: wire('read') }, { wire: wire('rm') }]);
    const mcp_configs = [{ mcp_client_name: 'wiki', tools_to_execute: null }];
    const matchers = [{ path: 'org.dept', operator: 'EQUALS', value: 'ops' }];
    await create({ name: 'ops', matchers, mcp_configs }, key);
    const { body: denial } = await create(
      {
        name: 'no rm',
        roles: ['guest'],
        effect: 'deny',
        priority: 5,
        mcp_configs: [{ ...mcp_configs[0], tools_to_execute: ['rm'] }],
      },
      key,
    );
    const userId = await registry().user('previewed', orgId);
    await registry().post(
      '/api/toolsets',
      {
        slug: 'kit',
        name: 'Kit',
        mcp_configs: [{ mcp_client_name: 'wiki', tools_to_execute: ['read'] }],
        user_ids: [userId],
      },
      key,
    );
    const preview = async (body: Record<string, unknown>) => {
      const answer = await registry().post('/api/policies/preview', body, key);
      expect(answer.status).toBe(200);
      return answer.body;
    };
    const claims = { org: { dept: 'ops', secret: 'x' } };
    expect(await preview({ claims, roles: ['guest'] })).toEqual({
      policies: [
        { id: denial.id, name: 'no rm', effect: 'deny', priority: 5 },
        expect.objectContaining({ name: 'ops' }),
      ],
      toolsets: [],
      tools: ['wiki_read'],
      claims_read: ['org.dept'],
    });
    expect((await preview({ claims })).tools).toEqual(['wiki_read', 'wiki_rm']);
    expect(await preview({ user_id: userId })).toMatchObject({
      policies: [],
      toolsets: ['kit'],
      tools: ['wiki_read'],
    });
    expect((await preview({})).tools).toEqual([]);
    const { body: elsewhere } = await registry().post('/api/policies/preview', { claims, user_id: userId });
    expect(elsewhere.toolsets).toEqual([]);
  });
});
