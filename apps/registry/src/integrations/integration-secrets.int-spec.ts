import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { httpTransport, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
let count = 0;
let slug = '';
beforeEach(() => {
  slug = `secret-${++count}`;
});
afterEach(() => {
  registry().owners.refusal = undefined;
});

const bearer = { Authorization: 'Bearer canary-abc123' };
const stored = (id: string) => registry().owners.stored.get(id);
const withHeaders = () => registry().integration({ slug, headers: bearer });
const refuse = () => {
  registry().owners.refusal = new PlatformError('invalid_request', {
    message: 'Host is set by the platform.',
  }).toInfo();
};

async function rows(): Promise<string[]> {
  return asAdmin(registry().database.adminUrl, async (client) => {
    const { rows } = await client.query<{ slug: string }>('SELECT slug FROM registry.integrations');
    return rows.map((row) => row.slug);
  });
}

describe('header values', () => {
  it('go to the vault, and the answer has their names', async () => {
    const { id, headers, auth_mode } = await withHeaders();
    expect({ headers, auth_mode }).toEqual({ headers: { Authorization: '[stored]' }, auth_mode: 'headers' });
    expect(stored(id)).toEqual({ headers: bearer });
  });

  it('that the vault refuses leave no integration behind', async () => {
    refuse();
    const { status, body } = await registry().post('/api/integrations', {
      slug,
      transport: httpTransport,
      headers: { Host: 'x' },
    });
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_request' });
    expect(body.detail).toContain('Host is set by the platform');
    expect(await rows()).not.toContain(slug);
    await eventually(() => registry().owners.writes.at(-1)?.op === 'delete');
  });

  it('that nobody takes in time leave no integration behind, and are taken back', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    registry().owners.silence = promise;
    const body = { slug, transport: httpTransport, headers: bearer };
    expect(await registry().post('/api/integrations', body)).toMatchObject({
      status: 503,
      body: { code: 'dependency_unavailable' },
    });
    registry().owners.silence = undefined;
    resolve();
    await eventually(() => registry().owners.writes.at(-1)?.op === 'delete');
    expect(await rows()).not.toContain(slug);
    expect(JSON.stringify([...registry().owners.stored])).not.toContain(slug);
  });

  it('are replaced as a whole', async () => {
    const { id } = await withHeaders();
    const { body } = await registry().patch(`/api/integrations/${id}`, { headers: { 'X-Key': 'canary-2' } });
    expect(body.headers).toEqual({ 'X-Key': '[stored]' });
    expect(stored(id)).toEqual({ headers: { 'X-Key': 'canary-2' } });
    await eventually(() =>
      registry().owners.syncs.some((job) => job.integrationId === id && job.reason === 'config_edit'),
    );
  });

  it('that the vault refuses leave the row as it was', async () => {
    const { id } = await withHeaders();
    refuse();
    expect(
      (await registry().patch(`/api/integrations/${id}`, { name: 'New', headers: { Host: 'x' } })).status,
    ).toBe(400);
    expect((await registry().get(`/api/integrations/${id}`)).body).toMatchObject({
      name: slug,
      headers: { Authorization: '[stored]' },
      version: 1,
    });
  });

  it('stay when something else changes', async () => {
    const { id } = await withHeaders();
    const { body } = await registry().patch(`/api/integrations/${id}`, {
      name: 'New',
      transport: { type: 'http', url: 'https://93.184.216.34/other' },
    });
    expect(body.headers).toEqual({ Authorization: '[stored]' });
    expect(stored(id)).toEqual({ headers: bearer });
  });

  it.each<[string, Record<string, unknown>]>([
    ['another host', { type: 'http', url: 'https://93.184.216.35/mcp' }],
    ['another port', { type: 'http', url: 'https://93.184.216.34:8443/mcp' }],
  ])('do not follow the integration to %s', async (_what, transport) => {
    const { id } = await withHeaders();
    const { status, body } = await registry().patch(`/api/integrations/${id}`, { transport });
    expect({ status, path: body.errors?.[0]?.path }).toEqual({ status: 400, path: 'headers' });
    const moved = await registry().patch(`/api/integrations/${id}`, { transport, headers: { A: 'new' } });
    expect(moved.body).toMatchObject({ transport, headers: { A: '[stored]' } });
    expect(stored(id)).toEqual({ headers: { A: 'new' } });
  });

  it('go with the mode that had a use for them', async () => {
    const { id } = await withHeaders();
    const { body } = await registry().patch(`/api/integrations/${id}`, { auth_mode: 'none' });
    expect(body).toMatchObject({ auth_mode: 'none', headers: {} });
    expect(stored(id)).toEqual({ headers: {} });
  });

  it('are forgotten with the integration', async () => {
    const { id } = await withHeaders();
    expect((await registry().send('DELETE', `/api/integrations/${id}`)).status).toBe(204);
    expect(stored(id)).toBeUndefined();
  });

  it('that the vault does not forget keep the integration', async () => {
    const { id } = await withHeaders();
    registry().owners.refusal = new PlatformError('dependency_unavailable').toInfo();
    expect((await registry().send('DELETE', `/api/integrations/${id}`)).status).toBe(503);
    expect((await registry().get(`/api/integrations/${id}`)).status).toBe(200);
  });

  it('of concurrent changes end as names and values of one and the same change', async () => {
    const { id } = await withHeaders();
    const changes = Array.from({ length: 8 }, (_, n) =>
      registry().patch(`/api/integrations/${id}`, { headers: { [`X-${n}`]: `value-${n}` } }),
    );
    expect((await Promise.all(changes)).map(({ status }) => status)).toEqual(
      Array.from({ length: 8 }, () => 200),
    );
    const { body } = await registry().get(`/api/integrations/${id}`);
    expect(Object.keys(body.headers)).toEqual(Object.keys(stored(id)?.headers ?? {}));
  });
});

describe('canary values', () => {
  it('stand in no table, no job and no answer', async () => {
    const { id } = await withHeaders();
    const answers = [
      await registry().get(`/api/integrations/${id}`),
      await registry().get('/api/integrations?limit=200'),
      await registry().patch(`/api/integrations/${id}`, { headers: { A: 'canary-3' } }),
      await registry().patch(`/api/integrations/${id}`, { headers: { A: { b: 'canary-4' } } }),
      await registry().post('/api/integrations', { slug, transport: httpTransport, headers: bearer }),
      await registry().post('/api/integrations', { slug, transport: { type: 'http', url: 'canary-5' } }),
      await registry().send('POST', '/api/integrations', { body: '{"headers":{"A":"canary-6"' }),
      await registry().post('/api/import', {
        mcpServers: { imported: { url: 'https://93.184.216.34/', headers: { A: 'canary-7' } } },
      }),
    ];
    expect(JSON.stringify(answers)).not.toContain('canary');
    expect(JSON.stringify(registry().owners.writes)).not.toContain('canary');
    expect(JSON.stringify(registry().owners.stored.get(id))).toContain('canary-3');
    expect(await everyRow()).not.toContain('canary');
  });
});

/** The text of all rows of all services. */
async function everyRow(): Promise<string> {
  return asAdmin(registry().database.adminUrl, async (client) => {
    const schemas = ['registry', 'catalog', 'vault', 'broker', 'dispatch', 'gateway'];
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY($1)`,
      [schemas],
    );
    const texts: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
      texts.push(...rows.map(({ row }) => row));
    }
    return texts.join('\n');
  });
}
