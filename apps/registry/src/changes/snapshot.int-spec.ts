import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  anonymousCaller,
  authenticateVirtualKey,
  findToolset,
  rateLimitOf,
  resolveTools,
  SnapshotStore,
} from '@switchyard/access';
import type { SnapshotChange } from '@switchyard/access';
import { type CallerContext, DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import pg from 'pg';
import { listTools, wire, type WireLike } from '../../test-fixtures/catalog-rows.js';
import { withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const readers = ['gateway', 'dispatch', 'catalog-sync'] as const;
let pools: pg.Pool[] = [];
let stores: SnapshotStore[] = [];
const changes: SnapshotChange[] = [];

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
    const read = { name: 'read', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } };
    const settings = {
      tool_overrides: { read: { deadline_ms: 5_000 } },
      rate_limit: { limit: 2, interval_ms: 1_000 },
    };
    const { id } = await registry().integration({ slug: 'notes', ...settings });
    const mcp_configs = [{ mcp_client_name: 'notes', tools_to_execute: ['*'] }];
    const { body: key } = await registry().post('/api/virtual-keys', { name: 'ci', mcp_configs });
    await listTools(registry().database.adminUrl, id, [{ wire: read }]);
    for (const store of stores) {
      const tools = await eventually(() => {
        const verdict = authenticateVirtualKey(store.current(), key.key, Date.now());
        const found = verdict.status === 'ok' ? resolveTools(store.current(), verdict.caller) : [];
        return found.length > 0 && found;
      });
      expect(tools).toMatchObject([
        { outwardName: 'notes_read', safe: true, deadlineMs: 5_000, wire: { ...read, name: 'notes_read' } },
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

  it('follows policies, groups, toolsets, limits and pins, for every role that reads them', async () => {
    const { id } = await registry().integration({ slug: 'wiki', pinned: true });
    const matchers = [{ path: 'dept', operator: 'EQUALS', value: 'ops' }];
    const selectors = [{ client: 'wiki', read_only: true }];
    const { body: group } = await registry().post('/api/tool-groups', { name: 'g', selectors });
    const { body: policy } = await registry().post('/api/policies', {
      name: 'p',
      matchers,
      group_ids: [group.id],
    });
    const mcp_configs = [
      { mcp_client_name: 'wiki', tools_to_execute: ['read'], tools: { read: { name: 'look' } } },
    ];
    const { body: set } = await registry().post('/api/toolsets', {
      slug: 'kit',
      name: 'k',
      mcp_configs,
      roles: ['ops'],
    });
    const wires = [wire('read', { annotations: { readOnlyHint: true } }), wire('late')];
    await listTools(registry().database.adminUrl, id, [
      { wire: wires[0] as WireLike },
      { wire: wires[1] as WireLike, approved: null },
    ]);
    await registry().patch(`/api/organizations/${DEFAULT_ORGANIZATION_ID}`, {
      user_rate_limit: { limit: 7, interval_ms: 1_000 },
    });
    const caller = { kind: 'user', orgId: DEFAULT_ORGANIZATION_ID, userId: id, virtualKeyId: null } as const;
    const ops: CallerContext = { ...caller, runKind: 'mcp', roles: ['ops'], hasSubjectToken: true };
    for (const store of stores) {
      await eventually(
        () => store.current().organizations.get(DEFAULT_ORGANIZATION_ID)?.userRateLimit !== null,
      );
      await eventually(() => (store.current().tools.get(id)?.length ?? 0) === 2);
      const snapshot = store.current();
      expect(snapshot.policies.find((one) => one.id === policy.id)).toMatchObject({
        matchers,
        groupIds: [group.id],
      });
      expect(snapshot.toolGroups.get(group.id)?.selectors).toEqual([{ client: 'wiki', readOnly: true }]);
      expect(findToolset(snapshot, DEFAULT_ORGANIZATION_ID, 'kit')?.id).toBe(set.id);
      const names = (who: Parameters<typeof resolveTools>[1]) =>
        resolveTools(snapshot, who).map(({ outwardName }) => outwardName);
      expect(names({ ...ops, toolsetId: set.id })).toEqual(['wiki_look']);
      expect(names({ ...ops, roles: [], claims: { dept: 'ops' } })).toEqual(['wiki_read']);
      expect(names({ ...ops, roles: [] })).toEqual([]);
      expect(rateLimitOf(snapshot, ops)).toMatchObject({ limit: 7, intervalMs: 1_000 });
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
