import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const folder = '/srv/tools';
const transport = { type: 'stdio', command: 'switchyard-local-tools', args: [] };
const registry = withRegistry();

const all = async () => (await registry().get('/api/integrations?limit=100')).body.items;
const local = async () => (await all()).find(({ kind }: { kind: string }) => kind === 'local');
const path = async () => `/api/integrations/${(await local()).id}`;
const syncsOf = (id: string) => registry().owners.syncs.filter((job) => job.integrationId === id).length;

/** Each test begins with local tools as the setting makes them. */
afterEach(async () => {
  await registry().restart({ folder });
  await registry().patch(await path(), { enabled: true });
});

describe('the integration of local tools', () => {
  it('is not there without the setting, nor while another has its slug: all else is served', async () => {
    expect(await local()).toBeUndefined();
    const { id } = await registry().integration({ slug: 'local' });
    await registry().restart({ folder });
    expect(await local()).toBeUndefined();
    expect(await registry().get(`/api/integrations/${id}`)).toMatchObject({ body: { slug: 'local' } });
    await registry().restart({ folder, slug: 'free' });
    expect(await local()).toMatchObject({ slug: 'free', enabled: true });
    expect(await registry().send('DELETE', `/api/integrations/${id}`)).toMatchObject({ status: 204 });
  });

  it('is made at the start, and synced', async () => {
    const made = await local();
    expect(made).toMatchObject({
      ...{ kind: 'local', slug: 'local', scope: 'global', auth_mode: 'none', enabled: true, transport },
      name: 'Local tools',
    });
    await eventually(() => syncsOf(made.id) > 0);
  });

  it('is one and the same after more starts, with what admins set, and with the operator’s slug', async () => {
    const { id } = await local();
    const settings = { tools_to_execute: ['read'], available_in_chat: false, name: 'Ours' };
    expect(await registry().patch(await path(), settings)).toMatchObject({ status: 200 });
    await registry().restart({ folder, slug: 'own' });
    const locals = (await all()).filter(({ kind }: { kind: string }) => kind === 'local');
    expect(locals).toEqual([expect.objectContaining({ id, slug: 'own', ...settings })]);
  });

  it('is disabled without the setting, and there again with it', async () => {
    const { id } = await local();
    await registry().restart();
    expect(await local()).toMatchObject({ id, enabled: false, state: 'disabled' });
    expect(await registry().patch(await path(), { enabled: true })).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: expect.stringContaining('SWITCHYARD_LOCAL_TOOLS') },
    });
    await registry().restart({ folder });
    expect(await local()).toMatchObject({ id, enabled: true });
  });

  it('stays disabled where an admin disabled it', async () => {
    await registry().patch(await path(), { enabled: false });
    await registry().restart();
    await registry().restart({ folder });
    expect(await local()).toMatchObject({ enabled: false });
  });

  it('cannot be removed, nor be made to start something else', async () => {
    expect(await registry().send('DELETE', await path())).toMatchObject({
      status: 409,
      body: { code: 'conflict', detail: expect.stringContaining('SWITCHYARD_LOCAL_TOOLS') },
    });
    const change = (body: object) => registry().patch(`/api/integrations/${id}`, body);
    const { id } = await local();
    for (const other of [
      { type: 'http', url: 'https://93.184.216.34/mcp' },
      { type: 'stdio', command: 'files', args: [] },
      { ...transport, args: ['/tmp'] },
    ])
      expect(await change({ transport: other })).toMatchObject({ status: 409, body: { code: 'conflict' } });
    for (const body of [{ slug: 'x' }, { kind: 'external_mcp' }])
      expect(await change(body)).toMatchObject({ status: 400 });
    expect(await change({ auth_mode: 'headers', env: { NODE_OPTIONS: '-r /tmp/x' } })).toMatchObject({
      body: { code: 'stdio_not_allowed' },
    });
    // As it was read, it may be written.
    expect(await change({ transport })).toMatchObject({ status: 200 });
    expect(await local()).toMatchObject({ transport, env: {} });
  });

  it('is nobody else’s to register, change or see', async () => {
    const { key } = await registry().organization('other');
    for (const who of [undefined, key]) {
      const create = (body: object) => registry().post('/api/integrations', { slug: 'mine', ...body }, who);
      expect(await create({ transport, kind: 'local' })).toMatchObject({ status: 400 });
      expect(await create({ transport })).toMatchObject({ body: { code: 'stdio_not_allowed' } });
      const entry = { command: transport.command, args: [] };
      const imported = await registry().post('/api/import', { mcpServers: { mine: entry } }, who);
      expect(imported.body.results).toMatchObject([
        { status: 'failed', error: { code: 'stdio_not_allowed' } },
      ]);
    }
    const external = await registry().integration({ slug: 'external' });
    expect(await registry().patch(`/api/integrations/${external.id}`, { transport })).toMatchObject({
      body: { code: 'stdio_not_allowed' },
    });
    for (const [method, body] of [['GET'], ['PATCH', { enabled: false }], ['DELETE']] as const)
      expect(await registry().send(method, await path(), { key, body })).toMatchObject({ status: 404 });
  });

  it('keeps its slug where the operator names one that another has', async () => {
    const { id } = await registry().integration({ slug: 'taken' });
    await registry().restart({ folder, slug: 'taken' });
    expect(await local()).toMatchObject({ slug: 'local', enabled: true });
    expect((await all()).find(({ slug }: { slug: string }) => slug === 'taken')).toMatchObject({ id });
  });
});
