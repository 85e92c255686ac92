import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { type IntegrationState, stdioQueue, topics, type WireTool } from '@switchyard/contracts';
import type { RunningService } from '@switchyard/service-kit';
import {
  defineTool,
  eventually,
  type FixtureOptions,
  type FixtureUpstream,
  onBothQueueBackends,
  startFixtureUpstream,
  textResult,
} from '@switchyard/testing';
import { CatalogSyncHarness, grantHeaders, impatient } from '../catalog-sync-harness-spec.js';

const named = (...names: string[]) => names.map((name) => defineTool(name, {}, () => textResult(name)));

onBothQueueBackends('the watcher', (backend) => {
  let harness: CatalogSyncHarness;
  let replica: RunningService;
  const upstreams: FixtureUpstream[] = [];

  beforeAll(async () => {
    harness = await CatalogSyncHarness.open(backend);
    replica = await harness.startReplica(impatient);
  }, 120_000);
  afterEach(async () => {
    await harness.sql.query(`DELETE FROM registry.integrations`);
    await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
  });
  afterAll(() => harness.close(), 30_000);

  async function start(options: FixtureOptions): Promise<FixtureUpstream> {
    const upstream = await startFixtureUpstream({ tools: named('a'), ...options });
    upstreams.push(upstream);
    return upstream;
  }

  /** Connected, and the watcher's session is open: its opening leads to a second list. */
  async function watched(options: FixtureOptions = {}, columns: Record<string, unknown> = {}) {
    const upstream = await start(options);
    const id = await harness.insert(upstream.url, columns);
    await harness.sync(id, 'connect');
    await eventually(() => lists(upstream) >= 2);
    await eventually(async () => (await offered(id)).length === upstream.tools().length);
    return { upstream, id };
  }

  function lists({ requests }: FixtureUpstream): number {
    return requests.filter((method) => method === 'tools/list').length;
  }

  async function offered(id: string): Promise<string[]> {
    return (await harness.tools(id)).filter(({ enabled }) => enabled).map(({ name }) => name);
  }

  function states(id: string): IntegrationState[] {
    const told = harness.news.filter(({ integrationId }) => integrationId === id).map(({ state }) => state);
    return told.filter((state, index) => state !== told[index - 1]);
  }

  it('connects an integration whose sync nobody asked for', async () => {
    const id = await harness.insert((await start({})).url);
    await harness.reaches(id, 'connected');
    expect(await offered(id)).toEqual(['a']);
  });

  it.each(['legacy', 'modern'] as const)('hears of changed tools from a %s upstream', async (era) => {
    const { upstream, id } = await watched({ era });
    await upstream.setTools(named('a', 'b'));
    await eventually(async () => (await offered(id)).join() === 'a,b');
    await upstream.setTools(named('b'));
    await eventually(async () => (await offered(id)).join() === 'b');
  });

  it('syncs by the interval where an upstream tells nobody', async () => {
    const { upstream, id } = await watched({}, { sync_interval_seconds: 1 });
    upstream.tools().push(...named('silent'));
    await eventually(async () => (await offered(id)).join() === 'a,silent');
  });

  it('serves an upstream that fails checks as unstable, and disconnects it at the threshold', async () => {
    const { upstream, id } = await watched({ era: 'legacy' });
    upstream.failNext({ method: 'ping', status: 500, count: 1_000 });
    const unstable = await harness.reaches(id, 'unstable');
    expect(unstable).toMatchObject({
      tool_count: 1,
      last_failure: { stage: 'ping', code: 'upstream_unreachable' },
    });
    upstream.failNext({ status: 500, count: 1_000 });
    const disconnected = await harness.reaches(id, 'disconnected');
    expect(disconnected).toMatchObject({
      consecutive_failures: 5,
      last_failure: { since: unstable.last_failure!.since },
    });
    upstream.clearFaults();
    expect(await harness.reaches(id, 'connected')).toMatchObject({
      last_failure: null,
      consecutive_failures: 0,
    });
    // The news follow the rows.
    await eventually(() => states(id).length === 4);
    expect(states(id)).toEqual(['connected', 'unstable', 'disconnected', 'connected']);
  });

  it('calls an unstable upstream connected after one check that passes', async () => {
    const { upstream, id } = await watched({ era: 'legacy' });
    upstream.failNext({ method: 'ping', status: 500, count: 1_000 });
    await harness.reaches(id, 'unstable');
    upstream.clearFaults();
    await harness.reaches(id, 'connected');
    await eventually(() => states(id).length === 3);
    expect(states(id)).toEqual(['connected', 'unstable', 'connected']);
  });

  it('takes an answered call for a check that passed', async () => {
    const { upstream, id } = await watched({ era: 'legacy' });
    upstream.failNext({ method: 'ping', status: 500, count: 1_000 });
    await harness.reaches(id, 'unstable');
    await eventually(async () => {
      await harness.queue.publish(topics.upstreamAnswered, { integrationId: id, at: Date.now() });
      return states(id).join() === 'connected,unstable,connected';
    });
  });

  it('recovers a restarted upstream between two checks, with the tools that it has now', async () => {
    const { upstream, id } = await watched({ era: 'legacy' });
    await upstream.close();
    await start({ port: upstream.port, era: 'legacy', tools: named('a', 'after') });
    await eventually(async () => (await offered(id)).join() === 'a,after');
    expect(states(id)).not.toContain('disconnected');
  });

  it('recovers a session that the upstream forgot', async () => {
    const { upstream, id } = await watched({ era: 'legacy' });
    const before = lists(upstream);
    await upstream.forgetSessions();
    await eventually(() => lists(upstream) > before);
    await upstream.setTools(named('a', 'heard'));
    await eventually(async () => (await offered(id)).join() === 'a,heard');
    expect(states(id)).not.toContain('disconnected');
  });

  it('reconnects by itself, and backs off meanwhile', async () => {
    const { upstream, id } = await watched();
    await upstream.close();
    await harness.reaches(id, 'disconnected');
    expect(await offered(id)).toEqual(['a']);
    const again = await start({ port: upstream.port });
    await harness.reaches(id, 'connected');
    expect(lists(again)).toBeGreaterThan(0);
  });

  it('waits for an admin where auto_reconnect is off', async () => {
    const { upstream, id } = await watched({}, { auto_reconnect: false });
    await upstream.close();
    expect((await harness.reaches(id, 'disconnected')).next_sync_at).toBeNull();
    await start({ port: upstream.port });
    await eventually(
      async () =>
        (await harness.sql.query(`SELECT 1 FROM catalog.watches WHERE integration_id = $1`, [id])).length ===
        1,
    );
    expect((await harness.state(id)).state).toBe('disconnected');
    await harness.sync(id, 'reconnect');
    await harness.reaches(id, 'connected');
  });

  it('takes a new credential from the broker before it calls the old one dead', async () => {
    const required = { authorization: 'Bearer one' };
    let lent = 'Bearer one';
    const broker = harness.lend((request) => grantHeaders(request, { authorization: lent }));
    const { upstream, id } = await watched({ requiredHeaders: required }, { auth_mode: 'headers' });
    lent = 'Bearer two';
    required.authorization = 'Bearer two';
    const before = lists(upstream);
    await eventually(() => lists(upstream) > before);
    expect(states(id)).toEqual(['connected']);
    required.authorization = 'Bearer three';
    await harness.reaches(id, 'needs_reauth');
    expect(await offered(id)).toEqual(['a']);
    await broker.close();
  });

  it('checks a stdio integration through the owner of its child', async () => {
    const id = await harness.insert({ type: 'stdio', command: 'notes', args: [] });
    const upstream = {
      era: 'legacy',
      protocolVersion: '2025-11-25',
      serverName: null,
      serverVersion: null,
      instructions: null,
    } as const;
    const tools = [{ name: 'a', inputSchema: { type: 'object' } }] as WireTool[];
    const own = () =>
      harness.queue.consume(
        stdioQueue(id),
        ({ op }) =>
          Promise.resolve(
            op === 'list' ? { status: 'listed' as const, tools, upstream } : { status: 'alive' as const },
          ),
        { concurrency: 4 },
      );
    const owner = own();
    await harness.sync(id, 'connect');
    await harness.reaches(id, 'connected');
    await owner.close();
    await harness.reaches(id, 'disconnected', 15_000);
    const next = own();
    await harness.reaches(id, 'connected', 15_000);
    await next.close();
  });

  it('follows the registry: disabled, enabled, edited, deleted', async () => {
    const { upstream, id } = await watched();
    await harness.edit(id, 'enabled = false');
    await harness.reaches(id, 'disabled');
    await eventually(() => upstream.sessionCount() === 0);
    await harness.edit(id, 'enabled = true');
    await harness.reaches(id, 'connected');
    const next = await start({ tools: named('moved') });
    await harness.edit(id, `transport = '${JSON.stringify({ type: 'http', url: next.url })}'`);
    await eventually(async () => (await offered(id)).join() === 'moved');
    await harness.delete(id);
    await eventually(async () => (await harness.tools(id)).length === 0);
    await expect(harness.state(id)).rejects.toThrow(/no state/);
  });

  it('tells the state of each upstream as a metric', async () => {
    const { id } = await watched();
    const metrics = await eventually(async () => {
      const text = await replica.kit.metrics.registry.metrics();
      return text.includes(`slug="s-${id.slice(0, 8)}",state="connected"} 1`) && text;
    });
    expect(metrics).toContain(
      `switchyard_upstream_state{organization="${harness.orgId}",slug="s-${id.slice(0, 8)}"`,
    );
    expect(metrics).toMatch(/switchyard_catalog_syncs_total\{reason="connect",outcome="synced"\} [1-9]/);
    expect(metrics).toContain('switchyard_catalog_sync_duration_seconds_count{outcome="synced"}');
  });
});
