import { describe, expect, it } from '@jest/globals';
import { AgentDefinition } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { openModel, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
const slug = () => `agent-${++count}`;
const openai = { provider: 'openai', model: 'gpt-x' };
const create = (fields: Record<string, unknown> = {}, key?: string) =>
  registry().post('/api/agents', { slug: slug(), model: openModel, ...fields }, key);
const stored = (id: string) => registry().owners.stored.get(id);

/** As agent-runner reads it. */
const published = (id: string) =>
  asAdmin(registry().database.adminUrl, async (client) => {
    const { rows } = await client.query(
      `SELECT id, organization_id AS "orgId", slug, name, instructions, model, grants, execution, approval,
         chat_access AS "chatAccess", has_model_key AS "hasModelKey", max_depth AS "maxDepth",
         tool_deadline_ms AS "toolDeadlineMs", mixed_turn AS "mixedTurn", unattended_approval AS "unattendedApproval",
         agentic_mode AS "agenticMode", is_active AS "isActive", version
       FROM registry.v_agent_definitions WHERE id = $1`,
      [id],
    );
    return rows[0] && AgentDefinition.parse(rows[0]);
  });

describe('an agent', () => {
  it('may do nothing and is nobody’s unless it says more', async () => {
    const { status, body } = await create({ slug: 'night_shift' });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        ...{ slug: 'night-shift', name: 'night-shift', description: null, instructions: '', grants: [] },
        ...{ model_key: null, default_policy: null, tool_policies: {}, max_depth: 10 },
        approval: { approver_roles: [], approver_user_ids: [], self_approval: true, expires_s: 86_400 },
        chat_access: { everyone: false, roles: [], user_ids: [] },
        ...{ tool_deadline_ms: 30_000, mixed_turn: 'run_auto', unattended_approval: 'leave_out' },
        ...{ agentic_mode: true, is_active: true, version: 1, lost_unattended: [] },
        warnings: [expect.stringContaining('Nobody may chat'), expect.stringContaining('It has no tools')],
      },
    });
    expect((await registry().get(`/api/agents/${body.id}`)).body).toEqual(body);
  });

  it('is published as its runner reads it, with every change a new version, of which everybody is told', async () => {
    const ann = await registry().user('ann');
    const { body } = await create({ instructions: 'Be brief.' });
    const path = `/api/agents/${body.id}`;
    const changes = {
      ...{ name: 'Night shift', description: 'Works at night.', instructions: 'Be long.' },
      grants: [
        { mcp_client_name: 'wiki', tools_to_execute: ['read'] },
        { mcp_client_name: 'mail', tools_to_execute: null },
      ],
      ...{ default_policy: 'auto_execute', tool_policies: { wiki_read: 'require_approval' } },
      approval: { approver_roles: ['ops'], approver_user_ids: [ann], self_approval: false, expires_s: 60 },
      chat_access: { everyone: false, roles: ['dev'], user_ids: [ann] },
      ...{ max_depth: 50, tool_deadline_ms: 1_000, mixed_turn: 'hold_all', unattended_approval: 'park' },
      ...{ agentic_mode: false, is_active: false },
    };
    expect(await registry().patch(path, changes)).toMatchObject({
      status: 200,
      body: { ...changes, version: 2 },
    });
    expect(await published(body.id)).toMatchObject({
      ...{ version: 2, isActive: false, maxDepth: 50, mixedTurn: 'hold_all' },
      execution: { default: 'auto_execute', tools: { wiki_read: 'require_approval' } },
      approval: { approverRoles: ['ops'], approverUserIds: [ann], selfApproval: false, expiresMs: 60_000 },
      chatAccess: { everyone: false, roles: ['dev'], userIds: [ann] },
    });
    expect((await registry().patch(path, changes)).body.version).toBe(2);
    const parts = { approval: { expires_s: 600 }, chat_access: { roles: [] } };
    expect((await registry().patch(path, parts)).body).toMatchObject({
      approval: { ...changes.approval, expires_s: 600 },
      chat_access: { ...changes.chat_access, roles: [] },
      version: 3,
    });
    expect((await registry().patch(path, { default_policy: null })).body).toMatchObject({
      ...{ default_policy: null, tool_policies: { wiki_read: 'require_approval' }, version: 4 },
    });
    expect((await registry().send('DELETE', path)).status).toBe(204);
    for (const answer of [await registry().get(path), await registry().send('DELETE', path)])
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
    const told = () => registry().owners.changes.filter(({ id }) => id === body.id);
    await eventually(() => told().length === 5);
    expect(told().map(({ entity, change }) => [entity, change])).toEqual([
      ['agent', 'created'],
      ['agent', 'updated'],
      ['agent', 'updated'],
      ['agent', 'updated'],
      ['agent', 'deleted'],
    ]);
  });

  it('has a slug that is its organization’s own, by which it is found, and which never changes', async () => {
    const taken = slug();
    const { body } = await create({ slug: taken });
    expect(await create({ slug: taken })).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
    const { key } = await registry().organization('has-agents');
    const { body: theirs } = await create({ slug: taken }, key);
    expect((await registry().patch(`/api/agents/${body.id}`, { slug: 'other' })).status).toBe(400);
    const found = async (as?: string) =>
      (await registry().get(`/api/agents?slug=${taken}`, as)).body.items.map((one: { id: string }) => one.id);
    expect([await found(), await found(key)]).toEqual([[body.id], [theirs.id]]);
    for (const name of [slug(), slug()]) await create({ slug: name }, key);
    const page = (await registry().get('/api/agents?limit=2', key)).body;
    expect(page.items).toHaveLength(2);
    expect(
      (await registry().get(`/api/agents?limit=2&cursor=${page.next_cursor}`, key)).body.items,
    ).toHaveLength(1);
  });

  it('names no users of another organization', async () => {
    const neighbour = await registry().organization('lends-nobody');
    const theirs = await registry().user('theirs', neighbour.id);
    const { body } = await create();
    const wrong = [
      { approval: { approver_user_ids: [theirs] } },
      { chat_access: { user_ids: [theirs] } },
      { chat_access: { user_ids: ['ann'] } },
    ];
    for (const given of wrong)
      for (const answer of [await create(given), await registry().patch(`/api/agents/${body.id}`, given)]) {
        expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
        expect(answer.body.errors[0].path).toMatch(/user_ids\.0$/);
      }
  });

  it.each<[Record<string, unknown>, string]>([
    [{ slug: 'Upper' }, 'slug'],
    [{ model: undefined }, 'model'],
    [{ model: { provider: 'openai_compatible', model: 'x' } }, 'model.base_url'],
    [{ model: { ...openModel, api_key: 'sk' } }, 'api_key'],
    [{ instructions: 'é'.repeat(32_769) }, 'instructions'],
    [{ instructions: 'a\u0000' }, 'instructions'],
    [{ model_key: '[stored]' }, 'model_key'],
    [{ model_key: 'a\nb' }, 'model_key'],
    [{ grants: [{ mcp_client_name: 'a-b' }, { mcp_client_name: 'a_b' }] }, 'grants'],
    [{ grants: [{ mcp_client_name: 'a', prompts: true }] }, 'prompts'],
    [{ tool_policies: { a: 'ask' } }, 'tool_policies.a'],
    [{ max_depth: 0 }, 'max_depth'],
    [{ max_depth: 51 }, 'max_depth'],
    [{ tool_deadline_ms: 999 }, 'tool_deadline_ms'],
    [{ approval: { expires_s: 59 } }, 'approval.expires_s'],
    [{ mixed_turn: 'both' }, 'mixed_turn'],
    [{ version: 7 }, 'version'],
    [{ organization_id: '00000000-0000-4000-8000-00000000ffff' }, 'organization_id'],
  ])('is refused with %j', async (fields, named) => {
    const { status, body } = await create(fields);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(body.errors)).toContain(named);
  });

  it('asks no model at an address that the egress policy denies', async () => {
    const model = { ...openModel, base_url: 'http://127.0.0.1:1/v1' };
    expect(await create({ model })).toMatchObject({ status: 403, body: { code: 'egress_denied' } });
    const { body } = await create();
    const changed = await registry().patch(`/api/agents/${body.id}`, { model });
    expect(changed).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining('model.base_url') },
    });
  });
});

describe('the key of a model', () => {
  it('is in the vault and nowhere else, and is dropped by null', async () => {
    const { body } = await create({ model: openai, model_key: 'canary-key' });
    const path = `/api/agents/${body.id}`;
    expect(body.model_key).toBe('[stored]');
    expect(stored(body.id)).toEqual({ model_key: { api_key: 'canary-key' } });
    const seen = [
      body,
      (await registry().get(path)).body,
      (await registry().get('/api/agents?limit=200')).body,
    ];
    expect(JSON.stringify([...seen, await published(body.id), registry().owners.audited])).not.toContain(
      'canary',
    );
    expect(await published(body.id)).toMatchObject({ hasModelKey: true });
    expect((await registry().patch(path, { model_key: 'canary-2' })).body).toMatchObject({ version: 2 });
    expect(stored(body.id)).toEqual({ model_key: { api_key: 'canary-2' } });
    const dropped = await registry().patch(path, { model_key: null });
    expect(dropped.body).toMatchObject({ model_key: null, version: 3 });
    expect(dropped.body.warnings).toContainEqual(expect.stringContaining('model_key'));
    expect(stored(body.id)).toEqual({ model_key: {} });
  });

  it('never follows to another provider or address', async () => {
    const model = { ...openModel };
    const { body } = await create({ model, model_key: 'one' });
    const path = `/api/agents/${body.id}`;
    const elsewhere = { ...model, base_url: 'https://93.184.216.35/v1' };
    for (const moved of [elsewhere, openai])
      expect(await registry().patch(path, { model: moved })).toMatchObject({
        status: 400,
        body: { errors: [{ path: 'model_key' }] },
      });
    const beside = { ...model, base_url: 'https://93.184.216.34/v2', model: 'large' };
    expect((await registry().patch(path, { model: beside })).status).toBe(200);
    expect((await registry().patch(path, { model: elsewhere, model_key: 'two' })).status).toBe(200);
    expect((await registry().patch(path, { model: openai, model_key: null })).body.model_key).toBeNull();
  });

  it('goes with its agent, and leaves nothing behind where the agent could not be made', async () => {
    const taken = slug();
    const { body } = await create({ slug: taken, model_key: 'one' });
    const before = registry().owners.stored.size;
    expect((await create({ slug: taken, model_key: 'two' })).status).toBe(409);
    await eventually(() => registry().owners.stored.size === before);
    await registry().send('DELETE', `/api/agents/${body.id}`);
    expect(stored(body.id)).toBeUndefined();
  });

  it('keeps the agent as it was where the vault refuses', async () => {
    const { body } = await create({ model: openai });
    registry().owners.refusal = { code: 'dependency_unavailable', message: 'No.' } as never;
    const answer = await registry().patch(`/api/agents/${body.id}`, { model_key: 'one', name: 'Other' });
    registry().owners.refusal = undefined;
    expect(answer.status).toBe(503);
    expect((await registry().get(`/api/agents/${body.id}`)).body).toEqual(body);
  });
});
