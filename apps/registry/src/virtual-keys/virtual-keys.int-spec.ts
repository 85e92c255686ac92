import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const create = (fields: Record<string, unknown> = {}) =>
  registry().post('/api/virtual-keys', { name: 'ci', ...fields });
const future = () => new Date(Date.now() + 60_000).toISOString();

describe('a virtual key', () => {
  it('is shown once and stored as a hash', async () => {
    const { status, body } = await create();
    expect({ status, key: body.key }).toEqual({ status: 201, key: expect.stringMatching(/^vk_[\w-]{43}$/) });
    const read = await registry().get(`/api/virtual-keys/${body.id}`);
    expect(read.body).toMatchObject({
      name: 'ci',
      mcp_configs: [],
      status: 'active',
      expires_at: null,
      revoked_at: null,
    });
    expect(JSON.stringify(read.body)).not.toContain(body.key);
    const stored = await asAdmin(
      registry().database.adminUrl,
      async (client) => (await client.query('SELECT t::text FROM registry.virtual_keys t')).rows,
    );
    expect(JSON.stringify(stored)).not.toContain(body.key);
    expect(JSON.stringify(stored)).toContain(createHash('sha256').update(body.key).digest('hex'));
    await eventually(() =>
      registry().owners.changes.some(({ id, entity }) => id === body.id && entity === 'virtual_key'),
    );
  });

  it('grants what its mcp_configs say, and warns of clients that are not there', async () => {
    await registry().integration({ slug: 'web-search' });
    const mcp_configs = [
      { mcp_client_name: 'web_search', tools_to_execute: ['*'] },
      { mcp_client_name: 'later' },
      { mcp_client_name: 'none', tools_to_execute: [] },
    ];
    const { body } = await create({ mcp_configs });
    expect(body.mcp_configs).toEqual([
      mcp_configs[0],
      { mcp_client_name: 'later', tools_to_execute: null },
      mcp_configs[2],
    ]);
    expect(body.warnings).toEqual([expect.stringContaining('"later"'), expect.stringContaining('"none"')]);
  });

  it.each<[Record<string, unknown>, string]>([
    [{ name: '' }, 'name'],
    [{ expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ expires_at: 'tomorrow' }, 'expires_at'],
    [{ mcp_configs: [{ tools_to_execute: ['*'] }] }, 'mcp_configs.0.mcp_client_name'],
    [
      { mcp_configs: [{ mcp_client_name: 'a', tools_to_execute: ['*', 'b'] }] },
      'mcp_configs.0.tools_to_execute',
    ],
    [{ mcp_configs: [{ mcp_client_name: 'a-b' }, { mcp_client_name: 'a_b' }] }, 'mcp_configs'],
    [{ mcp_configs: [{ mcp_client_name: 'a', tools_to_skip: [] }] }, 'tools_to_skip'],
    [{ key: 'vk_mine' }, 'key'],
    [{ rate_limit: { limit: 0, interval_ms: 1_000 } }, 'rate_limit.limit'],
    [{ rate_limit: { limit: 1 } }, 'rate_limit.interval_ms'],
    [{ tool_mode: 'none' }, 'tool_mode'],
  ])('is refused with %j', async (fields, named) => {
    const { status, body } = await create(fields);
    expect(status).toBe(400);
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it('is changed', async () => {
    const { body: key } = await create({ expires_at: future() });
    const changed = {
      name: 'new',
      mcp_configs: [{ mcp_client_name: 'x', tools_to_execute: ['y'] }],
      expires_at: null,
    };
    expect((await registry().patch(`/api/virtual-keys/${key.id}`, changed)).body).toMatchObject({
      ...changed,
      warnings: [expect.any(String)],
    });
    expect((await registry().patch(`/api/virtual-keys/${key.id}`, {})).status).toBe(400);
    expect((await registry().patch(`/api/virtual-keys/${key.id}`, { revoked_at: null })).status).toBe(400);
    await eventually(() =>
      registry().owners.changes.some(({ id, change }) => id === key.id && change === 'updated'),
    );
  });

  it('has a limit and a way of listing tools, and is published so', async () => {
    const settings = { rate_limit: { limit: 5, interval_ms: 1_000 }, tool_mode: 'search' };
    const { body: key } = await create(settings);
    expect(key).toMatchObject(settings);
    const { rows } = await asAdmin(registry().database.adminUrl, (client) =>
      client.query('SELECT rate_limit, tool_mode FROM registry.v_virtual_keys WHERE id = $1', [key.id]),
    );
    expect(rows).toEqual([settings]);
    const none = { rate_limit: null, tool_mode: 'all' };
    expect((await registry().patch(`/api/virtual-keys/${key.id}`, none)).body).toMatchObject(none);
    expect((await create()).body).toMatchObject(none);
  });

  it('is revoked for good, and its row stays', async () => {
    const { body: key } = await create();
    const revoked = await registry().post(`/api/virtual-keys/${key.id}/revoke`);
    expect(revoked).toMatchObject({
      status: 200,
      body: { status: 'revoked', revoked_at: expect.any(String) },
    });
    expect((await registry().post(`/api/virtual-keys/${key.id}/revoke`)).body.revoked_at).toBe(
      revoked.body.revoked_at,
    );
    expect(await registry().patch(`/api/virtual-keys/${key.id}`, { name: 'back' })).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
    await eventually(
      () =>
        registry().owners.changes.filter(({ id, change }) => id === key.id && change === 'revoked').length ===
        1,
    );
  });

  it('is revoked when it is deleted', async () => {
    const { body: key } = await create();
    expect((await registry().send('DELETE', `/api/virtual-keys/${key.id}`)).status).toBe(204);
    expect((await registry().get(`/api/virtual-keys/${key.id}`)).body.status).toBe('revoked');
  });

  it('is listed by status and in pages', async () => {
    const { key: admin } = await registry().organization('keys');
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c'])
      ids.push((await registry().post('/api/virtual-keys', { name, expires_at: future() }, admin)).body.id);
    await registry().post(`/api/virtual-keys/${ids[0]}/revoke`, undefined, admin);
    await asAdmin(registry().database.adminUrl, (client) =>
      client.query(`UPDATE registry.virtual_keys SET expires_at = now() WHERE id = $1`, [ids[1]]),
    );
    const names = async (query: string) =>
      (await registry().get(`/api/virtual-keys${query}`, admin)).body.items.map(
        (one: { name: string }) => one.name,
      );
    expect(await names('?status=revoked')).toEqual(['a']);
    expect(await names('?status=expired')).toEqual(['b']);
    expect(await names('?status=active')).toEqual(['c']);
    const first = (await registry().get('/api/virtual-keys?limit=2', admin)).body;
    expect(await names(`?limit=2&cursor=${first.next_cursor}`)).toEqual(['c']);
  });
});

describe('a virtual key of a user', () => {
  it('is theirs for good, and found by them', async () => {
    const userId = await registry().user('owner');
    const { status, body } = await create({ user_id: userId });
    expect({ status, user_id: body.user_id }).toEqual({ status: 201, user_id: userId });
    expect((await registry().get(`/api/virtual-keys/${body.id}`)).body.user_id).toBe(userId);
    const { body: list } = await registry().get(`/api/virtual-keys?user_id=${userId}`);
    expect(list.items.map(({ id }: { id: string }) => id)).toEqual([body.id]);
    expect((await registry().patch(`/api/virtual-keys/${body.id}`, { user_id: null })).status).toBe(400);
    const { rows } = await asAdmin(registry().database.adminUrl, (client) =>
      client.query('SELECT user_id FROM registry.v_virtual_keys WHERE id = $1', [body.id]),
    );
    expect(rows).toEqual([{ user_id: userId }]);
  });

  it('is nobody’s unless it says so', async () => {
    expect((await create()).body.user_id).toBeNull();
    expect((await registry().get('/api/virtual-keys?user_id=me')).status).toBe(400);
  });

  it('cannot be of nobody who is there, of the neighbours, or of somebody who is inactive', async () => {
    const { id: neighbour } = await registry().organization('neighbours');
    const gone = await registry().user('gone');
    await registry().patch(`/api/users/${gone}`, { active: false });
    const theirs = await registry().user('theirs', neighbour);
    for (const user_id of [gone, theirs, '00000000-0000-4000-8000-00000000ffff', 'me']) {
      const { status, body } = await create({ user_id });
      expect({ status, path: body.errors?.[0]?.path }).toEqual({ status: 400, path: 'user_id' });
    }
  });
});
