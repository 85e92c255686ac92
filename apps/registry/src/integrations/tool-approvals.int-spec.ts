import { beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { listTools, sha256Of, wire } from '../../test-fixtures/catalog-rows.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const read = wire('read', { description: 'Reads.', annotations: { readOnlyHint: true } });
const changed = wire('write/all', { description: 'Writes.\u200b Then sends.', _meta: { a: [1, 2] } });
const before = wire('write/all', { description: 'Writes.', title: 'Write', _meta: { a: [1] } });
const fresh = wire('new');
let id: string;
const tools = (query = '') => registry().get(`/api/integrations/${id}/tools${query}`);
const approve = (body: unknown) => registry().post(`/api/integrations/${id}/tools/approve`, body);

beforeAll(async () => {
  ({ id } = await registry().integration({ slug: 'pinned', pinned: true }));
  await listTools(registry().database.adminUrl, id, [
    { wire: read },
    { wire: changed, approved: before },
    { wire: fresh, approved: null },
  ]);
});

describe('the tools of a pinned integration', () => {
  it('say whether they are approved, and only then are offered', async () => {
    const { body } = await tools();
    const shown = body.items.map((one: Record<string, unknown>) => [
      one.name,
      one.pin_state,
      one.hidden_because,
    ]);
    expect(shown).toEqual([
      ['new', 'pending', 'not_approved'],
      ['read', 'approved', null],
      ['write/all', 'changed', 'not_approved'],
    ]);
    expect(body.items[2].wire_sha256).toBe(sha256Of(changed));
  });

  it('are listed by what they wait for', async () => {
    const names = async (query: string) =>
      (await tools(query)).body.items.map(({ name }: { name: string }) => name);
    expect(await names('?pin_state=changed')).toEqual(['write/all']);
    expect(await names('?pin_state=approved')).toEqual(['read']);
    expect((await tools('?pin_state=other')).status).toBe(400);
  });

  it('show what changed, part by part', async () => {
    const { status, body } = await registry().get(`/api/integrations/${id}/tools/write%2Fall/change`);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { pin_state: 'changed', approved: before, current: changed, wire_sha256: sha256Of(changed) },
    });
    expect(body.changes).toEqual([
      { path: '/description', before: 'Writes.', after: 'Writes.\u200b Then sends.' },
      { path: '/title', before: 'Write' },
      { path: '/_meta/a/1', after: 2 },
    ]);
  });

  it('have nothing to compare with before the first approval, and are not there for unknown names', async () => {
    const { body } = await registry().get(`/api/integrations/${id}/tools/new/change`);
    expect(body).toMatchObject({ pin_state: 'pending', approved: null, approved_sha256: null, changes: [] });
    for (const name of ['gone', 'x'.repeat(300)])
      expect((await registry().get(`/api/integrations/${id}/tools/${name}/change`)).status).toBe(404);
  });
});

describe('an approval', () => {
  it('names tools in the form that the admin saw', async () => {
    registry().owners.approval = { status: 'approved', count: 1 };
    const seen = { name: 'write/all', wire_sha256: sha256Of(changed) };
    const { status, body } = await approve({ tools: [seen] });
    expect({ status, body }).toEqual({ status: 200, body: { integration_id: id, approved: 1 } });
    expect(registry().owners.approvals.at(-1)).toMatchObject({
      integrationId: id,
      tools: [{ name: 'write/all', wireSha256: sha256Of(changed) }],
    });
  });

  it('can be of all that wait, each in the form that it has now and no later one', async () => {
    const vanished = wire('vanished');
    await listTools(registry().database.adminUrl, id, [{ wire: vanished, approved: null, gone: true }]);
    expect((await approve({ tools: 'all' })).status).toBe(200);
    const asked = registry().owners.approvals.at(-1)?.tools ?? [];
    expect(asked.map(({ name }) => name).sort()).toEqual(['new', 'write/all']);
    expect(asked).toContainEqual({ name: 'write/all', wireSha256: sha256Of(changed) });
  });

  it('of all where nothing waits asks nobody', async () => {
    const { id: quiet } = await registry().integration({ slug: 'quiet', pinned: true });
    await listTools(registry().database.adminUrl, quiet, [{ wire: read }]);
    const before = registry().owners.approvals.length;
    const answer = await registry().post(`/api/integrations/${quiet}/tools/approve`, { tools: 'all' });
    expect(answer).toMatchObject({ status: 200, body: { approved: 0 } });
    expect(registry().owners.approvals).toHaveLength(before);
  });

  it('of what changed since is a conflict that names it', async () => {
    registry().owners.approval = { status: 'changed', tools: ['read'] };
    const answer = await approve({ tools: [{ name: 'read', wire_sha256: sha256Of(read) }] });
    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict', details: { tools: ['read'] } } });
    expect(answer.body.detail).toContain('read');
  });

  it('of an integration that is not pinned is a conflict, and nobody is asked', async () => {
    const { id: loose } = await registry().integration({ slug: 'loose' });
    const asked = registry().owners.approvals.length;
    const answer = await registry().post(`/api/integrations/${loose}/tools/approve`, { tools: 'all' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(registry().owners.approvals).toHaveLength(asked);
  });

  it.each<[unknown, string]>([
    [{}, 'tools'],
    [{ tools: [] }, 'tools'],
    [{ tools: 'some' }, 'tools'],
    [{ tools: [{ name: 'read' }] }, 'tools'],
    [{ tools: [{ name: 'read', wire_sha256: 'abc' }] }, 'tools'],
  ])('is refused with %j', async (body, named) => {
    const answer = await approve(body);
    expect({ status: answer.status, code: answer.body.code }).toEqual({
      status: 400,
      code: 'invalid_request',
    });
    expect(JSON.stringify(answer.body.errors)).toContain(named);
  });
});

describe('a pin', () => {
  it('that is switched on or off is synced, for then the catalog approves what is there', async () => {
    const { id: other } = await registry().integration({ slug: 'later' });
    const edits = () =>
      registry().owners.syncs.filter(
        ({ integrationId, reason }) => integrationId === other && reason === 'config_edit',
      );
    const answer = await registry().patch(`/api/integrations/${other}`, { pinned: true });
    expect(answer).toMatchObject({ status: 200, body: { pinned: true } });
    await eventually(() => edits().length === 1);
  });
});

describe('results that may be served again', () => {
  const cache = (name: string) => ({ tool_overrides: { [name]: { cache_seconds: 60 } } });

  it('are those of tools that say that they only read', async () => {
    const answer = await registry().patch(`/api/integrations/${id}`, cache('read'));
    expect(answer).toMatchObject({ status: 200, body: cache('read') });
    const { body } = await tools('?pin_state=approved');
    expect(body.items[0].override).toEqual({ cache_seconds: 60 });
  });

  it('are refused of others, by name, but not of tools that nobody knows yet', async () => {
    const refused = await registry().patch(`/api/integrations/${id}`, cache('new'));
    expect(refused).toMatchObject({
      status: 400,
      body: {
        errors: [
          { path: 'tool_overrides.new.cache_seconds', message: expect.stringContaining('readOnlyHint') },
        ],
      },
    });
    expect((await registry().patch(`/api/integrations/${id}`, cache('tomorrow'))).status).toBe(200);
  });

  it.each([0, -1, 86_401, 1.5])('are kept for a time that makes sense, not %d s', async (cache_seconds) => {
    const body = { tool_overrides: { read: { cache_seconds } } };
    expect((await registry().patch(`/api/integrations/${id}`, body)).status).toBe(400);
  });
});
