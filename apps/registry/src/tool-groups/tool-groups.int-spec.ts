import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { listTools, wire } from '../../test-fixtures/catalog-rows.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let neighbour: { id: string; key: string };
const create = (fields: Record<string, unknown> = {}, key?: string) =>
  registry().post('/api/tool-groups', { name: 'readers', ...fields }, key);
const tools = async (id: string, query = '') =>
  (await registry().get(`/api/tool-groups/${id}/tools${query}`)).body;
const toolNames = async (id: string) =>
  (await tools(id)).items.map((one: { outward_name: string }) => one.outward_name);

beforeAll(async () => {
  neighbour = await registry().organization('has-tools-too');
  const harmless = { annotations: { readOnlyHint: true } };
  for (const [slug, key] of [
    ['wiki', undefined],
    ['mail', undefined],
    ['wiki', neighbour.key],
  ] as const) {
    const { id } = await registry().integration({ slug }, key);
    const list = key ? [wire('theirs', harmless)] : [wire('read', harmless), wire('send')];
    await listTools(
      registry().database.adminUrl,
      id,
      list.map((one) => ({ wire: one })),
    );
  }
});

describe('a tool group', () => {
  it('holds what its selectors select and what it names, of its own organization', async () => {
    const { status, body } = await create({ selectors: [{ read_only: true }] });
    expect({ status, body }).toMatchObject({ status: 201, body: { include: [], exclude: [] } });
    expect(await toolNames(body.id)).toEqual(['mail_read', 'wiki_read']);
    const fields = { include: ['mail_send'], exclude: ['wiki_read'] };
    expect(await registry().patch(`/api/tool-groups/${body.id}`, fields)).toMatchObject({
      status: 200,
      body: fields,
    });
    expect(await toolNames(body.id)).toEqual(['mail_read', 'mail_send']);
    expect((await tools(body.id)).items[0]).toMatchObject({ mcp_client_name: 'mail', name: 'read' });
  });

  it('shows its tools in pages', async () => {
    const { body } = await create({ selectors: [{ client: '*' }] });
    const first = await tools(body.id, '?limit=3');
    expect(first.items).toHaveLength(3);
    const rest = await tools(body.id, `?limit=3&cursor=${first.next_cursor}`);
    expect(rest.items.map((one: { outward_name: string }) => one.outward_name)).toEqual(['wiki_send']);
    expect(rest.next_cursor).toBeNull();
  });

  it('is removed once no policy speaks of it, and everybody is told', async () => {
    const { body: group } = await create();
    const { body: policy } = await registry().post('/api/policies', {
      name: 'uses it',
      group_ids: [group.id],
    });
    const path = `/api/tool-groups/${group.id}`;
    const refused = await registry().send('DELETE', path);
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: expect.stringContaining('uses it') },
    });
    await registry().patch(`/api/policies/${policy.id}`, { group_ids: [] });
    expect((await registry().send('DELETE', path)).status).toBe(204);
    expect((await registry().get(path)).status).toBe(404);
    await eventually(() =>
      registry().owners.changes.some(
        ({ entity, change, id }) => entity === 'tool_group' && change === 'deleted' && id === group.id,
      ),
    );
  });

  it('is no other organization’s to speak of', async () => {
    const { body: theirs } = await create({}, neighbour.key);
    const { body: policy } = await registry().post('/api/policies', { name: 'p' });
    const given = { group_ids: [theirs.id] };
    for (const answer of [
      await registry().post('/api/policies', { name: 'p', ...given }),
      await registry().patch(`/api/policies/${policy.id}`, given),
    ])
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'group_ids.0' }] } });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ name: '' }, 'name'],
    [{ selectors: [{}] }, 'says nothing'],
    [{ selectors: [{ tool: 'regex:(a+' }] }, 'not a regular expression'],
    [{ selectors: [{ tool: 'regex:^(?=a).*$' }] }, 'linear time'],
    [{ selectors: [{ client: 'regex:(a)\\1' }] }, 'linear time'],
    [{ selectors: [{ tool: `regex:${'a'.repeat(101)}` }] }, 'at most 100 characters'],
    [{ selectors: [{ tool: 'regex:(a{1,16}){1,16}|(b{16}){16}' }] }, 'linear time'],
    [
      { selectors: ['a', 'b', 'c'].map((x) => ({ tool: `regex:${`${x}{16}`.repeat(14)}` })) },
      'these make 714',
    ],
    [{ selectors: [{ tags: ['x'] }] }, 'tags'],
    [{ include: [''] }, 'include.0'],
  ])('is refused with %j', async (fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });
});

describe('the patterns of all groups of an organization', () => {
  const patterns = (count: number, start: string) =>
    Array.from({ length: count }, (_, n) => ({ tool: `${start}${n}` }));

  it('are so many at most, by whatever group, which leaves others their own', async () => {
    const { key } = await registry().organization('has-many-patterns');
    for (const selectors of [[...patterns(50, '*a'), ...patterns(50, 'name')], patterns(50, 'regex:a')])
      expect((await create({ selectors }, key)).status).toBe(201);
    const { body: other } = await create({ selectors: patterns(100, '*b') }, key);
    for (const answer of [
      await create({ selectors: patterns(1, '*c') }, key),
      await registry().patch(
        `/api/tool-groups/${other.id}`,
        { selectors: [{ client: '*', tool: '?' }, ...patterns(99, '*')] },
        key,
      ),
    ]) {
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'invalid_request', errors: [{ path: 'selectors' }] },
      });
      expect(answer.body.errors[0].message).toContain('at most 200 patterns; these make 201');
    }
    expect((await registry().patch(`/api/tool-groups/${other.id}`, { name: 'same' }, key)).status).toBe(200);
    expect((await create({ selectors: patterns(1, '*c') })).status).toBe(201);
  });

  it('are no more where groups are made at the same time', async () => {
    const { key } = await registry().organization('is-in-a-hurry');
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => create({ selectors: patterns(60, `*${n}`) }, key)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 400, 400, 400]);
  });
});
