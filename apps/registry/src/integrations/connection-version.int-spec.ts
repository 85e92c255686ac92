import { describe, expect, it } from '@jest/globals';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { httpTransport, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const stdio = { type: 'stdio', command: 'files', args: [] };

const published = (id: string): Promise<{ version: number; connection_version: number }> =>
  asAdmin(registry().database.adminUrl, async (client) => {
    const sql = `SELECT version, connection_version FROM registry.v_integrations WHERE id = $1`;
    return (await client.query(sql, [id])).rows[0];
  });

/** By how much each version is raised by the change. */
async function raised(id: string, change: object) {
  const before = await published(id);
  expect(await registry().patch(`/api/integrations/${id}`, change)).toMatchObject({ status: 200 });
  const after = await published(id);
  return {
    version: after.version - before.version,
    connection: after.connection_version - before.connection_version,
  };
}

describe('the version of a connection', () => {
  it.each([
    { name: 'Other' },
    { approval_on_gateway: 'platform', default_policy: 'auto_execute' },
    { tool_overrides: { read: { policy: 'require_approval' } } },
    { tools_to_execute: ['read'], pinned: true },
    { max_concurrency: 3, rate_limit: { limit: 5, interval_ms: 1_000 }, deadline_ms: 5_000 },
  ])('stays over %j', async (change) => {
    const { id } = await registry().integration({ slug: 'stays', transport: stdio });
    expect(await raised(id, change)).toEqual({ version: 1, connection: 0 });
    await registry().send('DELETE', `/api/integrations/${id}`);
  });

  it('is raised by the same names with other values, which only the vault knows', async () => {
    const env = { FILES_TOKEN: 'before' };
    const { id } = await registry().integration({ slug: 'env', transport: stdio, env });
    expect(await raised(id, { env: { FILES_TOKEN: 'after' } })).toEqual({ version: 1, connection: 1 });
    expect(await raised(id, { env: {} })).toEqual({ version: 1, connection: 1 });
  });

  it.each([{ transport: { ...stdio, args: ['/data/notes'] } }, { enabled: false }])(
    'is raised by %j, once',
    async (change) => {
      const { id } = await registry().integration({ slug: 'raised', transport: stdio });
      expect(await raised(id, change)).toEqual({ version: 1, connection: 1 });
      expect(await raised(id, change)).toEqual({ version: 0, connection: 0 });
      await registry().send('DELETE', `/api/integrations/${id}`);
    },
  );

  it('is raised by how callers are known to a server over HTTP', async () => {
    const { id } = await registry().integration({ slug: 'http', transport: httpTransport });
    const headers = { auth_mode: 'headers', user_header_names: ['X-Key'] };
    expect(await raised(id, headers)).toEqual({ version: 1, connection: 1 });
  });
});
