import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anonymousCaller, authenticateVirtualKey, resolveTools, SnapshotStore } from '@switchyard/access';
import type { SnapshotChange } from '@switchyard/access';
import { eventually } from '@switchyard/testing';
import pg from 'pg';
import { asAdmin } from '../../test-fixtures/fake-owners.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const readers = ['gateway', 'dispatch', 'catalog-sync'] as const;
let pools: pg.Pool[] = [];
let stores: SnapshotStore[] = [];
const changes: SnapshotChange[] = [];

async function addTools(integrationId: string, wires: { name: string }[]): Promise<void> {
  await asAdmin(registry().database.adminUrl, async (client) => {
    await client.query(
      `INSERT INTO catalog.integration_states (integration_id, organization_id, state)
        SELECT id, organization_id, 'connected' FROM registry.integrations WHERE id = $1`,
      [integrationId],
    );
    for (const [index, wire] of wires.entries()) {
      await client.query(
        `INSERT INTO catalog.external_mcp_tools (id, integration_id, organization_id, name, qualified_name, input_schema, wire, wire_sha256)
          SELECT $2, id, organization_id, $3, $3, '{}', $4, $3 FROM registry.integrations WHERE id = $1`,
        [integrationId, `0190000${index}-0000-7000-8000-000000000001`, wire.name, JSON.stringify(wire)],
      );
    }
    await client.query(`UPDATE catalog.version SET version = version + 1`);
  });
}

describe('a snapshot of the registry', () => {
  /** What every reader of the registry runs, each as its own role. */
  beforeAll(async () => {
    pools = readers.map((app) => new pg.Pool({ connectionString: registry().database.urls[app], max: 1 }));
    stores = pools.map(
      (pool) =>
        new SnapshotStore({ query: async (sql, params) => (await pool.query(sql, params)).rows, pollMs: 50 }),
    );
    for (const store of stores) await store.start();
    stores[0]?.onChange((change) => changes.push(change));
  });
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await Promise.all(pools.map((pool) => pool.end()));
  });

  it('follows integrations, tools and keys, for every role that reads them', async () => {
    const wire = { name: 'read', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } };
    const settings = {
      tool_overrides: { read: { deadline_ms: 5_000 } },
      rate_limit: { limit: 2, interval_ms: 1_000 },
    };
    const { id } = await registry().integration({ slug: 'notes', ...settings });
    const mcp_configs = [{ mcp_client_name: 'notes', tools_to_execute: ['*'] }];
    const { body: key } = await registry().post('/api/virtual-keys', { name: 'ci', mcp_configs });
    await addTools(id, [wire]);
    for (const store of stores) {
      const tools = await eventually(() => {
        const verdict = authenticateVirtualKey(store.current(), key.key, Date.now());
        const found = verdict.status === 'ok' ? resolveTools(store.current(), verdict.caller) : [];
        return found.length > 0 && found;
      });
      expect(tools).toMatchObject([
        { outwardName: 'notes_read', safe: true, deadlineMs: 5_000, wire: { ...wire, name: 'notes_read' } },
      ]);
      expect(store.current().integrations.get(id)).toMatchObject({
        slug: 'notes',
        rateLimit: { limit: 2, intervalMs: 1_000 },
        toolsToExecute: null,
        headerNames: [],
      });
      expect(resolveTools(store.current(), anonymousCaller(store.current()))).toHaveLength(1);
    }
  });

  it('sees a key revoked by polling alone within two seconds', async () => {
    const { body: key } = await registry().post('/api/virtual-keys', {
      name: 'short',
      expires_at: new Date(Date.now() + 60_000).toISOString(),
    });
    const verdicts = () =>
      stores.map((store) => authenticateVirtualKey(store.current(), key.key, Date.now()).status);
    await eventually(() => verdicts().every((verdict) => verdict === 'ok'));
    expect(authenticateVirtualKey(stores[0]!.current(), key.key, Date.now() + 60_000).status).toBe('expired');
    await registry().post(`/api/virtual-keys/${key.id}/revoke`);
    await eventually(() => verdicts().every((verdict) => verdict === 'revoked'), { timeoutMs: 2_000 });
    expect(changes.flatMap(({ revokedKeys }) => revokedKeys)).toContain(key.id);
  });

  it('sees a user deactivated by polling alone within two seconds, and let in again', async () => {
    const userId = await registry().user('leaves');
    const { body: key } = await registry().post('/api/virtual-keys', { name: 'theirs', user_id: userId });
    const are = (isInactive: boolean) => () =>
      stores.every((store) => store.current().inactiveUsers.has(userId) === isInactive);
    await eventually(() =>
      stores.every((store) => store.current().virtualKeysById.get(key.id)?.userId === userId),
    );
    await registry().patch(`/api/users/${userId}`, { active: false });
    await eventually(are(true), { timeoutMs: 2_000 });
    await registry().patch(`/api/users/${userId}`, { active: true });
    await eventually(are(false), { timeoutMs: 2_000 });
  });

  it('follows identity providers and policies', async () => {
    const settings = {
      issuer: 'https://93.184.216.34',
      audience: 'snapshot',
      client_id: 'a',
      roles_claim: 'groups',
    };
    const { body: provider } = await registry().post('/api/identity-providers', settings);
    const mcp_configs = [{ mcp_client_name: 'notes', tools_to_execute: ['read'] }];
    const { body: policy } = await registry().post('/api/policies', {
      name: 'p',
      roles: ['engineer'],
      mcp_configs,
    });
    for (const store of stores) {
      const known = await eventually(() => store.current().policies.find(({ id }) => id === policy.id));
      expect(known).toMatchObject({
        roles: ['engineer'],
        mcpConfigs: [{ mcpClientName: 'notes', toolsToExecute: ['read'] }],
      });
      expect(store.current().identityProviders.find(({ id }) => id === provider.id)).toMatchObject({
        issuer: 'https://93.184.216.34',
        audience: 'snapshot',
        jwksUri: null,
        rolesClaim: 'groups',
        enabled: true,
      });
    }
    await registry().patch(`/api/policies/${policy.id}`, { is_active: false });
    await registry().send('DELETE', `/api/identity-providers/${provider.id}`);
    await eventually(
      () =>
        stores.every((store) => {
          const { policies, identityProviders } = store.current();
          return ![...policies, ...identityProviders].some(
            ({ id }) => id === policy.id || id === provider.id,
          );
        }),
      { timeoutMs: 2_000 },
    );
  });

  it('sees a removed integration go', async () => {
    const { id } = await registry().integration({ slug: 'goes' });
    await eventually(() => stores.every((store) => store.current().integrations.has(id)));
    await registry().send('DELETE', `/api/integrations/${id}`);
    await eventually(() => stores.every((store) => !store.current().integrations.has(id)));
    expect(changes.at(-1)).toMatchObject({ registry: true, integrations: [id] });
  });

  it('is all that other services may read, and none may write', async () => {
    for (const [index, pool] of pools.entries()) {
      for (const statement of [
        'SELECT * FROM registry.integrations',
        'SELECT * FROM registry.admin_keys',
        `UPDATE registry.v_integrations SET slug = 'x'`,
      ]) {
        await expect(pool.query(statement)).rejects.toThrow(/permission denied/);
      }
      expect(readers[index]).toBeDefined();
    }
  });
});
