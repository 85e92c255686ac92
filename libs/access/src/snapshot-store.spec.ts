import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  features,
  idOf,
  integration,
  keyCaller,
  orgId,
  stateOf,
  tools,
  toolset,
  virtualKey,
} from '../test-fixtures/snapshot-builder.js';
import type { FeatureRecord } from './feature-records.js';
import type { ToolsetRecord } from './grant-records.js';
import type { IntegrationStateRecord, ToolRecord } from './records.js';
import { resolveTools } from './resolve-tools.js';
import type { SnapshotChange } from './snapshot-change.js';
import { SnapshotStore } from './snapshot-store.js';
import { findToolset } from './toolsets.js';

const files = integration({ slug: 'files' });
const mail = integration({ slug: 'mail' });
const key = virtualKey({ mcpConfigs: [{ mcpClientName: 'files', toolsToExecute: ['*'] }] });
const rowOfKey = (revokedAt: Date | null = null) => ({
  ...key,
  revokedAt,
  mcpConfigs: [{ mcp_client_name: 'files', tools_to_execute: ['*'] }],
});

/** The views as arrays, with a count of what was read. */
class FakeViews {
  registry = 1;
  catalog = 1;
  organizations = [{ id: orgId, slug: 'default', name: 'Default' }];
  integrations = [files, mail];
  virtualKeys = [rowOfKey()];
  states: IntegrationStateRecord[] = [stateOf(files), stateOf(mail)];
  tools: ToolRecord[] = [...tools(files, ['read', 'write']), ...tools(mail, ['send'])];
  features: FeatureRecord[] = [];
  toolsets: ToolsetRecord[] = [];
  readonly reads: string[] = [];
  isDown = false;
  /** What happens between the two reads of a catalog's rows. */
  beforeWires = () => {};

  readonly query = async (sql: string, params: unknown[] = []): Promise<unknown[]> => {
    if (this.isDown) throw new Error('the database is gone');
    if (/wire FROM/.test(sql)) this.beforeWires();
    const view = sql.includes('v_version') ? 'versions' : (/FROM (\w+\.v_\w+)/.exec(sql)?.[1] ?? '?');
    this.reads.push(/wire FROM/.test(sql) ? `wires ${(params[0] as string[]).length}` : view);
    if (sql.includes('v_version'))
      return [{ registry: String(this.registry), catalog: String(this.catalog), broker: '1' }];
    if (sql.includes('v_organizations')) return structuredClone(this.organizations);
    if (sql.includes('v_integrations')) return structuredClone(this.integrations);
    if (sql.includes('v_virtual_keys')) return structuredClone(this.virtualKeys);
    if (sql.includes('v_integration_states')) return structuredClone(this.states);
    if (sql.includes('v_toolsets')) return structuredClone(this.toolsets);
    if (sql.includes('v_features')) return this.wiredRows(this.features, sql, params[0]);
    return sql.includes('v_tools') ? this.wiredRows(this.tools, sql, params[0]) : [];
  };

  private wiredRows(rows: readonly (ToolRecord | FeatureRecord)[], sql: string, param: unknown): unknown[] {
    if (sql.includes('ANY($1)'))
      return structuredClone(rows.filter(({ id }) => (param as string[]).includes(id)));
    return rows
      .filter(({ integrationId }) => integrationId === param)
      .map(({ wire: _wire, ...head }) => head);
  }
}

const stores: SnapshotStore[] = [];
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

async function started(
  views = new FakeViews(),
  options: { pollMs?: number; onError?: (error: unknown) => void } = {},
) {
  const store = new SnapshotStore({ query: views.query, pollMs: 60_000, ...options });
  stores.push(store);
  await store.start();
  const changes: SnapshotChange[] = [];
  store.onChange((change) => changes.push(change));
  views.reads.length = 0;
  return { store, views, changes };
}

const caller = keyCaller(key);
const names = (store: SnapshotStore) =>
  resolveTools(store.current(), caller).map(({ outwardName }) => outwardName);

describe('SnapshotStore', () => {
  it('has everything once started', async () => {
    const { store } = await started();
    expect(names(store)).toEqual(['files_read', 'files_write']);
    expect(store.ageMs()).toBeLessThan(60_000);
  });

  it('does not start on a database that does not answer', async () => {
    const views = new FakeViews();
    views.isDown = true;
    await expect(started(views)).rejects.toThrow('the database is gone');
  });

  it('reads two numbers when nothing changed, and tells nobody', async () => {
    const { store, views, changes } = await started();
    const before = store.current();
    await store.refresh();
    expect(views.reads).toHaveLength(1);
    expect(store.current()).toBe(before);
    expect(changes).toEqual([]);
  });

  it('sees a revoked key and says so', async () => {
    const { store, views, changes } = await started();
    views.virtualKeys = [rowOfKey(new Date(0))];
    views.registry++;
    await store.refresh('registry');
    expect(names(store)).toEqual([]);
    expect(changes).toEqual([{ registry: true, integrations: [], revokedKeys: [key.id] }]);
  });

  it('sees by polling what no event told', async () => {
    const { store, views } = await started(new FakeViews(), { pollMs: 5 });
    const changed = new Promise<SnapshotChange>((resolve) => store.onChange(resolve));
    views.integrations = [{ ...files, toolsToExecute: ['read'] }, mail];
    views.registry++;
    expect(await changed).toEqual({ registry: true, integrations: [files.id], revokedKeys: [] });
    expect(names(store)).toEqual(['files_read']);
  });

  it('reads the tools of the integration that moved, and of those only new wire objects', async () => {
    const { store, views, changes } = await started();
    const sent = store.current().tools.get(mail.id);
    views.tools = [...tools(files, ['read', 'write', 'append']), ...tools(mail, ['send'])];
    views.states = [{ ...stateOf(files), version: '2' }, stateOf(mail)];
    views.catalog++;
    await store.refresh(files.id);
    expect(views.reads).toEqual(['versions', 'catalog.v_integration_states', 'catalog.v_tools', 'wires 1']);
    expect(names(store)).toEqual(['files_append', 'files_read', 'files_write']);
    expect(store.current().tools.get(mail.id)).toBe(sent);
    expect(changes).toEqual([{ registry: false, integrations: [files.id], revokedKeys: [] }]);
  });

  it('reads prompts and resources of servers that have any, and of those only new wire objects', async () => {
    const { store, views } = await started();
    views.states = [{ ...stateOf(files), version: '2', capabilities: { prompts: {} } }, stateOf(mail)];
    views.features = features(files, 'prompt', ['ask']);
    views.catalog++;
    await store.refresh(files.id);
    const [ask] = store.current().features.get(files.id) ?? [];
    expect(ask?.wire).toMatchObject({ name: 'ask' });
    views.features = features(files, 'prompt', ['ask', 'go']);
    views.states = [{ ...stateOf(files), version: '3', capabilities: { prompts: {} } }, stateOf(mail)];
    views.catalog++;
    views.reads.length = 0;
    await store.refresh(files.id);
    expect(views.reads).toEqual([
      ...['versions', 'catalog.v_integration_states', 'catalog.v_tools', 'catalog.v_features', 'wires 1'],
    ]);
    expect(store.current().features.get(files.id)?.[0]).toBe(ask);
    views.features = [];
    views.states = [{ ...stateOf(files), version: '4' }, stateOf(mail)];
    views.catalog++;
    await store.refresh(files.id);
    expect(store.current().features.has(files.id)).toBe(false);
  });

  it('serves no form of a tool that came after its approval was read', async () => {
    const { store, views } = await started();
    const seen = tools(files, ['read', { name: 'write', annotations: { title: 'Seen' } }]);
    const later = tools(files, ['read', { name: 'write', annotations: { title: 'Nobody saw it' } }]);
    const move = (list: ToolRecord[], version: string) => {
      views.tools = [...list, ...tools(mail, ['send'])];
      views.states = [{ ...stateOf(files), version }, stateOf(mail)];
      views.catalog++;
    };
    move(seen, '2');
    views.beforeWires = () => {
      views.beforeWires = () => {};
      move(later, '3');
    };
    await store.refresh(files.id);
    expect(names(store)).toEqual(['files_read']);
    await store.refresh(files.id);
    expect(store.current().tools.get(files.id)?.[1]).toEqual(later[1]);
  });

  it('keeps no old form under a new approval where the row is gone between the reads', async () => {
    const { store, views } = await started();
    const seen = tools(files, ['read', { name: 'write', annotations: { title: 'Seen' } }]);
    views.tools = [...seen, ...tools(mail, ['send'])];
    views.states = [{ ...stateOf(files), version: '2' }, stateOf(mail)];
    views.catalog++;
    views.beforeWires = () => (views.tools = seen.slice(0, 1));
    await store.refresh(files.id);
    expect(names(store)).toEqual(['files_read']);
  });

  it('sees toolsets and tool groups come and go', async () => {
    const { store, views, changes } = await started();
    views.toolsets = [{ ...toolset({ slug: 'kit' }), mcpConfigs: [] }];
    views.registry++;
    await store.refresh('registry');
    expect(findToolset(store.current(), orgId, 'kit')?.slug).toBe('kit');
    views.toolsets = [];
    views.registry++;
    await store.refresh('registry');
    expect(findToolset(store.current(), orgId, 'kit')).toBeUndefined();
    expect(changes.map(({ registry }) => registry)).toEqual([true, true]);
  });

  it('keeps the tools, and what is cached on them, when only the state moved', async () => {
    const { store, views } = await started();
    const [before] = resolveTools(store.current(), caller);
    views.states = [{ ...stateOf(files, 'unstable'), version: '2' }, stateOf(mail)];
    views.catalog++;
    await store.refresh(files.id);
    expect(store.current().states.get(files.id)?.state).toBe('unstable');
    expect(resolveTools(store.current(), caller)[0]).toBe(before);
  });

  it('forgets the tools of an integration that is gone', async () => {
    const { store, views, changes } = await started();
    views.integrations = [mail];
    views.states = [stateOf(mail)];
    views.registry++;
    views.catalog++;
    await store.refresh();
    expect(store.current().tools.has(files.id)).toBe(false);
    expect(changes.map(({ integrations }) => integrations)).toEqual([[files.id]]);
  });

  it('reads all again when asked to, whatever the versions say', async () => {
    const { store, views } = await started();
    views.tools = tools(files, ['other']);
    await store.refresh('all');
    expect(names(store)).toEqual(['files_other']);
  });

  it('reads once more for any number of events that come while it reads', async () => {
    const { store, views } = await started();
    const looks = [store.refresh(), store.refresh(files.id), store.refresh()];
    await Promise.all(looks);
    const late = [store.refresh(), store.refresh()];
    await Promise.all(late);
    expect(views.reads).toHaveLength(2);
  });

  it('keeps what it has while the database is gone, says so, and goes on when it is back', async () => {
    const onError = jest.fn();
    const { store, views } = await started(new FakeViews(), { pollMs: 5, onError });
    views.isDown = true;
    await store.refresh();
    expect(onError).toHaveBeenCalledWith(new Error('the database is gone'));
    expect(names(store)).toHaveLength(2);
    const back = new Promise((resolve) => store.onChange(resolve));
    views.organizations = [...views.organizations, { id: idOf('new'), slug: 'new', name: 'New' }];
    views.registry++;
    views.isDown = false;
    await back;
    expect(store.current().organizations.size).toBe(2);
  });

  it('survives a listener that throws', async () => {
    const onError = jest.fn();
    const { store, views, changes } = await started(new FakeViews(), { onError });
    const stop = store.onChange(() => {
      throw new Error('listener');
    });
    store.onChange((change) => changes.push(change));
    views.integrations = [files];
    views.registry++;
    await store.refresh();
    stop();
    expect(changes).toHaveLength(2);
    expect(onError).toHaveBeenCalledTimes(1);
  });
});
