import { beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { httpTransport, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
/** A slug that no other test has. */
let slug = '';
beforeEach(() => {
  slug = `one-${++count}`;
});

const syncsOf = (id: string) =>
  registry()
    .owners.syncs.filter((job) => job.integrationId === id)
    .map((job) => job.reason);
const changesOf = (id: string) =>
  registry()
    .owners.changes.filter((change) => change.id === id)
    .map(({ change }) => change);

async function setState(id: string, state: string): Promise<void> {
  await asAdmin(registry().database.adminUrl, (client) =>
    client.query(
      `INSERT INTO catalog.integration_states (integration_id, organization_id, state, tool_count, last_failure, last_sync_at, era, server_name)
        SELECT id, organization_id, $2, 7, '{"stage":"ping","code":"upstream_unreachable","message":"refused","at":"2026-01-01T00:00:00Z","since":"2026-01-01T00:00:00Z"}', now(), 'modern', 'Notes'
        FROM registry.integrations WHERE id = $1
      ON CONFLICT (integration_id) DO UPDATE SET state = excluded.state`,
      [id, state],
    ),
  );
}

describe('a list', () => {
  it('is paged, and narrowed by slug and state', async () => {
    const { key } = await registry().organization(`org-${slug}`);
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.push((await registry().integration({ slug: name }, key)).id);
    await registry().patch(`/api/integrations/${ids[2]}`, { enabled: false }, key);
    await setState(ids[0]!, 'connected');
    const slugs = async (query: string) =>
      (await registry().get(`/api/integrations${query}`, key)).body.items.map(
        (one: { slug: string }) => one.slug,
      );
    expect(await slugs('')).toEqual(['a', 'b', 'c']);
    expect(await slugs('?slug=b')).toEqual(['b']);
    expect(await slugs('?state=connected')).toEqual(['a']);
    expect(await slugs('?state=connecting')).toEqual(['b']);
    expect(await slugs('?state=disabled')).toEqual(['c']);
    const first = (await registry().get('/api/integrations?limit=2', key)).body;
    expect(await slugs(`?limit=2&cursor=${first.next_cursor}`)).toEqual(['c']);
  });

  it.each(['?limit=0', '?limit=201', '?state=broken', '?cursor=x', '?sort=name', '?slug=%00'])(
    'refuses %s',
    async (query) => {
      expect(await registry().get(`/api/integrations${query}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_request' },
      });
    },
  );
});

describe('an integration', () => {
  it('shows what the catalog and the workers know', async () => {
    const { id } = await registry().integration({ slug });
    await setState(id, 'unstable');
    await asAdmin(registry().database.adminUrl, (client) =>
      client.query(
        `INSERT INTO dispatch.breakers (integration_id, state, failures, opened_at) VALUES ($1, 'open', 5, now())`,
        [id],
      ),
    );
    expect((await registry().get(`/api/integrations/${id}`)).body).toMatchObject({
      state: 'unstable',
      tool_count: 7,
      last_failure: { stage: 'ping', code: 'upstream_unreachable' },
      server: { name: 'Notes', era: 'modern' },
      breaker: { state: 'open', failures: 5, opened_at: expect.any(String) },
    });
  });

  it('of a stdio server shows its process, while a worker that lives says so', async () => {
    expect((await registry().integration({ slug: `${slug}-http` })).process).toBeNull();
    const transport = { type: 'stdio', command: 'files', args: ['/data/notes'] };
    const { id } = await registry().integration({ slug, transport });
    const shown = async () => (await registry().get(`/api/integrations/${id}`)).body.process;
    const owner = (columns: string, values: string) =>
      asAdmin(registry().database.adminUrl, (client) =>
        client.query(
          `INSERT INTO dispatch.stdio_owners (integration_id, worker_id, ${columns}) VALUES ($1, $1, ${values})
           ON CONFLICT (integration_id) DO UPDATE SET (worker_id, ${columns}) = (excluded.worker_id, ${columns
             .split(', ')
             .map((column) => `excluded.${column}`)
             .join(', ')})`,
          [id],
        ),
      );
    expect(await shown()).toEqual({ state: 'unowned', pid: null, started_at: null, worker_id: null });
    await owner('lease_until', `now() + interval '1 minute'`);
    expect(await shown()).toMatchObject({ state: 'stopped', pid: null, worker_id: id });
    await owner('lease_until, pid, started_at', `now() + interval '1 minute', 4711, now()`);
    expect(await shown()).toMatchObject({ state: 'running', pid: 4711, started_at: expect.any(String) });
    await owner('lease_until', `now() - interval '1 second'`);
    expect(await shown()).toMatchObject({ state: 'unowned', pid: null });
  });

  it('is changed field by field; null takes a filter away', async () => {
    const { id } = await registry().integration({ slug, tools_to_execute: ['a'], deadline_ms: 5_000 });
    const { body } = await registry().patch(`/api/integrations/${id}`, {
      tools_to_execute: null,
      name: 'New',
    });
    expect(body).toMatchObject({ name: 'New', tools_to_execute: null, deadline_ms: 5_000, version: 2, slug });
    await eventually(() => changesOf(id).includes('updated') && syncsOf(id).includes('config_edit'));
  });

  it('is not synced again for a change that does not concern its upstream', async () => {
    const { id } = await registry().integration({ slug });
    await registry().patch(`/api/integrations/${id}`, { deadline_ms: 5_000 });
    await registry().patch(`/api/integrations/${id}`, { enabled: false });
    await eventually(() => syncsOf(id).includes('config_edit'));
    expect(syncsOf(id)).toEqual(['connect', 'config_edit']);
  });

  it('keeps its version when nothing changes', async () => {
    const { id } = await registry().integration({ slug, name: 'Same' });
    expect(
      (await registry().patch(`/api/integrations/${id}`, { name: 'Same', transport: httpTransport })).body
        .version,
    ).toBe(1);
  });

  it('is disabled and enabled', async () => {
    const { id } = await registry().integration({ slug });
    await setState(id, 'connected');
    expect((await registry().patch(`/api/integrations/${id}`, { enabled: false })).body.state).toBe(
      'disabled',
    );
    await setState(id, 'disabled');
    expect((await registry().patch(`/api/integrations/${id}`, { enabled: true })).body.state).toBe(
      'connecting',
    );
  });

  it.each<[string, Record<string, unknown>, number, string]>([
    ['its slug', { slug: 'other' }, 400, 'invalid_request'],
    ['its scope', { scope: 'global' }, 400, 'invalid_request'],
    ['nothing', {}, 400, 'invalid_request'],
    [
      'an address that is not allowed',
      { transport: { type: 'http', url: 'https://127.0.0.1/' } },
      403,
      'egress_denied',
    ],
    [
      'a command that is not allowed',
      { transport: { type: 'stdio', command: '/bin/sh' } },
      403,
      'stdio_not_allowed',
    ],
    ['headers without the mode', { headers: { A: 'b' } }, 400, 'invalid_request'],
  ])('refuses to change %s', async (_what, fields, status, code) => {
    const { id } = await registry().integration({ slug });
    const answer = await registry().patch(`/api/integrations/${id}`, fields);
    expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
    expect((await registry().get(`/api/integrations/${id}`)).body.version).toBe(1);
  });

  it('is removed, and its slug is free again', async () => {
    const { id } = await registry().integration({ slug });
    expect(await registry().send('DELETE', `/api/integrations/${id}`)).toMatchObject({
      status: 204,
      body: null,
    });
    expect((await registry().get(`/api/integrations/${id}`)).status).toBe(404);
    expect((await registry().send('DELETE', `/api/integrations/${id}`)).status).toBe(404);
    await eventually(() => changesOf(id).includes('deleted'));
    await registry().integration({ slug });
  });

  it.each(['nonsense', '00000000-0000-4000-8000-00000000ffff', '%00', '..%2Forganizations'])(
    'of id %s does not exist',
    async (id) => {
      expect(await registry().get(`/api/integrations/${id}`)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    },
  );
});
