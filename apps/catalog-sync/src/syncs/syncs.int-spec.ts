import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { queues, type StdioRequest, stdioQueue, type WireTool } from '@switchyard/contracts';
import {
  defineTool,
  eventually,
  type FixtureOptions,
  type FixtureUpstream,
  onBothQueueBackends,
  startFixtureUpstream,
  textResult,
} from '@switchyard/testing';
import { CatalogSyncHarness, grantHeaders, withoutWatcher } from '../catalog-sync-harness-spec.js';

const tool = (name: string, wire: Partial<WireTool> = {}) =>
  defineTool(name, wire as object, () => textResult(name));
const named = (...names: string[]) => names.map((name) => tool(name));

onBothQueueBackends('a sync', (backend) => {
  let harness: CatalogSyncHarness;
  const upstreams: FixtureUpstream[] = [];

  beforeAll(async () => {
    harness = await CatalogSyncHarness.open(backend);
    await harness.startReplica(withoutWatcher);
  }, 120_000);
  afterEach(async () => {
    await harness.sql.query(`DELETE FROM registry.integrations`);
    await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
  });
  afterAll(() => harness.close(), 30_000);

  async function start(options: FixtureOptions): Promise<FixtureUpstream> {
    const upstream = await startFixtureUpstream(options);
    upstreams.push(upstream);
    return upstream;
  }

  async function connected(options: FixtureOptions): Promise<{ upstream: FixtureUpstream; id: string }> {
    const upstream = await start(options);
    const id = await harness.insert(upstream.url);
    expect(await harness.sync(id, 'connect')).toMatchObject({ status: 'synced', changed: true });
    return { upstream, id };
  }

  async function offered(id: string): Promise<string[]> {
    return (await harness.tools(id)).filter(({ enabled }) => enabled).map(({ name }) => name);
  }

  it.each(['legacy', 'modern'] as const)(
    'connects a %s upstream and keeps its tools as they were listed',
    async (era) => {
      const { upstream, id } = await connected({ era });
      const wires = upstream.tools().map(({ wire }) => wire);
      expect(await harness.state(id)).toMatchObject({
        state: 'connected',
        tool_count: wires.length,
        last_failure: null,
        era,
        server_name: 'fixture-upstream',
      });
      const tools = await harness.tools(id);
      expect(new Map(tools.map(({ name, wire }) => [name, wire]))).toEqual(
        new Map(wires.map((wire) => [wire.name, wire])),
      );
      expect(
        tools.every(({ name, qualified_name }) => qualified_name === `s-${id.slice(0, 8)}.${name}`),
      ).toBe(true);
    },
  );

  it('follows every page', async () => {
    const { id } = await connected({ tools: [], generated: 25, pageSize: 4 });
    expect(await offered(id)).toHaveLength(25);
  });

  it('takes 5,000 tools in one pass, and does nothing when they are the same', async () => {
    const { id } = await connected({ tools: [], generated: 5_000, pageSize: 500 });
    expect((await harness.state(id)).tool_count).toBe(5_000);
    const { version } = await harness.state(id);
    expect(await harness.sync(id)).toEqual({ status: 'synced', toolCount: 5_000, changed: false });
    expect((await harness.state(id)).version).toBe(version);
  });

  it('disables what vanished with the reason, and brings it back when it returns', async () => {
    const { upstream, id } = await connected({ tools: named('a', 'b') });
    await upstream.setTools(named('a'));
    expect(await harness.sync(id)).toEqual({ status: 'synced', toolCount: 1, changed: true });
    const [, gone] = await harness.tools(id);
    expect(gone).toMatchObject({ name: 'b', enabled: false, disabled_reason: 'vanished' });
    await upstream.setTools(named('a', 'b'));
    await harness.sync(id);
    const [, back] = await harness.tools(id);
    expect(back).toMatchObject({ id: gone!.id, enabled: true, disabled_reason: null });
  });

  it('keeps one row for each tool of an integration, under its own name and the integration’s', async () => {
    const { id } = await connected({ tools: named('a', 'b') });
    await harness.sync(id);
    const rows = await harness.sql.query(
      `SELECT name, qualified_name, input_schema, last_seen_at IS NOT NULL AS seen
       FROM catalog.external_mcp_tools WHERE integration_id = $1 ORDER BY name`,
      [id],
    );
    const row = (name: string) => ({
      ...{ name, qualified_name: expect.stringMatching(new RegExp(`^[a-z0-9-]+\\.${name}$`)) },
      ...{ input_schema: expect.objectContaining({ type: 'object' }), seen: true },
    });
    expect(rows).toEqual([row('a'), row('b')]);
  });

  it('leaves off what an admin switched off', async () => {
    const { upstream, id } = await connected({ tools: named('a', 'b') });
    await harness.sql.query(
      `UPDATE catalog.external_mcp_tools SET disabled_reason = 'admin' WHERE integration_id = $1 AND name = 'b'`,
      [id],
    );
    await upstream.setTools([tool('a'), tool('b', { description: 'new' })]);
    expect(await harness.sync(id)).toMatchObject({ toolCount: 1 });
    expect((await harness.tools(id))[1]).toMatchObject({
      disabled_reason: 'admin',
      wire: { description: 'new' },
    });
  });

  it('publishes a change once, and silence when nothing changed', async () => {
    const { upstream, id } = await connected({ tools: named('a') });
    const of = () => harness.news.filter(({ integrationId }) => integrationId === id);
    await eventually(() => of().length === 1);
    await harness.sync(id);
    await upstream.setTools([tool('a', { title: 'A' })]);
    await harness.sync(id);
    await eventually(() => of().length === 2);
    const news = { orgId: harness.orgId, integrationId: id, state: 'connected', toolsChanged: true };
    // What the server says of itself is new at the first sync alone.
    expect(of()).toEqual([{ ...news, featuresChanged: true }, news]);
  });

  it('keeps the old list when a list fails', async () => {
    const { upstream, id } = await connected({ tools: named('a', 'b') });
    upstream.failNext({ method: 'tools/list', status: 500 });
    const outcome = await harness.sync(id);
    expect(outcome).toMatchObject({
      status: 'failed',
      failure: { stage: 'list', code: 'upstream_unreachable' },
    });
    expect(await offered(id)).toEqual(['a', 'b']);
    expect(await harness.state(id)).toMatchObject({
      state: 'connected',
      tool_count: 2,
      last_failure: { stage: 'list' },
    });
  });

  it('keeps the old list when the upstream is gone, which counts as one failed check', async () => {
    const { upstream, id } = await connected({ tools: named('a') });
    await upstream.close();
    await harness.sync(id);
    expect(await harness.state(id)).toMatchObject({
      state: 'unstable',
      tool_count: 1,
      consecutive_failures: 1,
      last_failure: { stage: 'connect' },
    });
    expect(await offered(id)).toEqual(['a']);
  });

  it('does not call an upstream connected whose first list failed', async () => {
    const upstream = await start({});
    upstream.failNext({ method: 'tools/list', status: 500 });
    const id = await harness.insert(upstream.url);
    await harness.sync(id, 'connect');
    expect(await harness.state(id)).toMatchObject({
      state: 'disconnected',
      tool_count: 0,
      last_failure: { stage: 'list', code: 'upstream_unreachable' },
    });
    expect((await harness.state(id)).next_sync_at).not.toBeNull();
    await harness.sync(id, 'reconnect');
    expect(await harness.state(id)).toMatchObject({ state: 'connected', last_failure: null });
  });

  it('takes an honest empty list for what it is', async () => {
    const { id } = await connected({ tools: named('a') }).then(async ({ upstream, id: known }) => {
      await upstream.setTools([]);
      return { id: known };
    });
    await harness.sync(id);
    expect(await harness.state(id)).toMatchObject({ state: 'connected', tool_count: 0, last_failure: null });
  });

  it('gives up a list that never ends, and says so', async () => {
    const upstream = await start({ endlessList: true });
    const id = await harness.insert(upstream.url);
    expect(await harness.sync(id, 'connect')).toMatchObject({
      status: 'failed',
      failure: { stage: 'list', code: 'upstream_protocol_error' },
    });
    expect((await harness.state(id)).last_failure!.message).toMatch(/never ends/);
  });

  it.each([
    ['that is not there', 'http://127.0.0.1:1/mcp', 'upstream_unreachable'],
    ['that speaks no MCP', 'page', 'upstream_protocol_error'],
  ])('says what is wrong with a server %s', async (_what, url, code) => {
    const upstream = await start({});
    const id = await harness.insert(url === 'page' ? upstream.url.replace('/mcp', '/_fixture/nothing') : url);
    const outcome = await harness.sync(id, 'connect');
    expect(outcome).toMatchObject({ status: 'failed', failure: { stage: 'connect', code } });
    expect((await harness.state(id)).state).toBe('disconnected');
  });

  it('keeps tools that cannot be used out of use, and says why', async () => {
    const broken = {
      ...tool('broken'),
      wire: {
        name: 'broken',
        inputSchema: { type: 'object', properties: { a: { $ref: 'https://e.example/x' } } },
      },
    };
    const { id } = await connected({ tools: [tool('fine'), broken as never] });
    expect((await harness.tools(id))[0]).toMatchObject({
      name: 'broken',
      enabled: false,
      disabled_reason: 'invalid_schema',
      disabled_detail: expect.stringContaining('outside') as unknown,
    });
    expect((await harness.state(id)).tool_count).toBe(1);
  });

  it('connects with the headers of a lease and repeats none of them', async () => {
    const upstream = await start({ requiredHeaders: { authorization: 'Bearer canary-token' } });
    const broker = harness.lend((request) => grantHeaders(request, { Authorization: 'Bearer canary-token' }));
    const id = await harness.insert(upstream.url, { auth_mode: 'headers' });
    expect(await harness.sync(id, 'connect')).toMatchObject({ status: 'synced' });
    upstream.failNext({
      method: 'tools/list',
      respond: ({ id: rpcId }) => ({
        jsonrpc: '2.0',
        id: rpcId,
        error: { code: -32603, message: 'Bearer canary-token at 10.1.2.3 is bad' },
      }),
    });
    const outcome = JSON.stringify(await harness.sync(id));
    expect(outcome).toContain('is bad');
    expect(outcome).not.toMatch(/canary-token|10\.1\.2\.3/);
    await broker.close();
  });

  it('needs somebody when the upstream refuses the credential, and keeps the tools', async () => {
    const upstream = await start({ requiredHeaders: { authorization: 'Bearer right' }, tools: named('a') });
    let token = 'right';
    const broker = harness.lend((request) => grantHeaders(request, { authorization: `Bearer ${token}` }));
    const id = await harness.insert(upstream.url, { auth_mode: 'headers' });
    await harness.sync(id, 'connect');
    token = 'wrong';
    expect(await harness.sync(id)).toMatchObject({ status: 'failed', failure: { code: 'upstream_denied' } });
    expect(await harness.state(id)).toMatchObject({ state: 'needs_reauth', tool_count: 1 });
    expect(await offered(id)).toEqual(['a']);
    await broker.close();
  });

  it('passes on why the broker refused', async () => {
    const error = { code: 'auth_mode_unavailable', message: 'Not yet.' } as const;
    const broker = harness.lend(() =>
      Promise.resolve({ status: 'refused', authPath: 'auth_context_unavailable', error }),
    );
    const id = await harness.insert((await start({})).url, { auth_mode: 'authorization_code' });
    expect(await harness.sync(id)).toMatchObject({
      status: 'failed',
      failure: { stage: 'lease', code: 'auth_mode_unavailable' },
    });
    await broker.close();
  });

  it('lists a stdio integration through its owner, and gives it a new child to reconnect', async () => {
    const id = await harness.insert({ type: 'stdio', command: 'notes', args: [] });
    const asked: StdioRequest['op'][] = [];
    const upstream = {
      era: 'legacy',
      protocolVersion: '2025-11-25',
      serverName: 'child',
      serverVersion: null,
      instructions: null,
    } as const;
    const owner = harness.queue.consume(
      stdioQueue(id),
      ({ op }) => {
        asked.push(op);
        const answer =
          op === 'list'
            ? { status: 'listed' as const, tools: [tool('a').wire as WireTool], upstream }
            : { status: 'alive' as const };
        return Promise.resolve(answer);
      },
      { concurrency: 1 },
    );
    expect(await harness.sync(id, 'connect')).toEqual({ status: 'synced', toolCount: 1, changed: true });
    await harness.sync(id, 'reconnect');
    expect(asked).toEqual(['list', 'restart', 'list']);
    await owner.close();
  });

  it('leaves no question in the queue of a stdio integration that nobody owns', async () => {
    const id = await harness.insert({ type: 'stdio', command: 'notes', args: [] });
    expect(await harness.sync(id, 'connect')).toMatchObject({
      status: 'failed',
      failure: { code: 'deadline_exceeded' },
    });
    expect(await harness.queue.counts(stdioQueue(id))).toMatchObject({ waiting: 0, delayed: 0, active: 0 });
  });

  it('skips what is disabled, deleted or of another organization', async () => {
    const upstream = await start({});
    const id = await harness.insert(upstream.url, { enabled: false });
    expect(await harness.sync(id)).toMatchObject({ status: 'skipped' });
    expect(await harness.sync(randomUUID())).toMatchObject({ status: 'skipped' });
    const foreign = {
      v: 1,
      orgId: randomUUID(),
      integrationId: await harness.insert(upstream.url),
      reason: 'manual',
    } as const;
    const answer = await harness.queue.request(queues.catalogSync, foreign, { timeoutMs: 10_000 });
    expect(answer).toEqual({ status: 'skipped', why: 'There is no such integration.' });
    expect(upstream.requests).toEqual([]);
  });

  it('writes nothing about a configuration that was edited meanwhile', async () => {
    const [former, next] = [await start({ tools: named('old') }), await start({ tools: named('new') })];
    const id = await harness.insert(former.url, { auth_mode: 'headers' });
    const url = JSON.stringify({ type: 'http', url: next.url });
    let isEdited = false;
    const broker = harness.lend(async (request) => {
      if (request.integrationId === id && !isEdited) await harness.edit(id, `transport = '${url}'`);
      isEdited ||= request.integrationId === id;
      return grantHeaders(request, {});
    });
    expect(await harness.sync(id, 'connect')).toMatchObject({ status: 'skipped' });
    expect(former.requests).toContain('tools/list');
    expect(await harness.tools(id)).toEqual([]);
    expect(await harness.sync(id, 'config_edit')).toMatchObject({ status: 'synced' });
    expect((await harness.tools(id)).map(({ name }) => name)).toEqual(['new']);
    await broker.close();
  });

  it('disables the tools of the former server when the URL changes', async () => {
    const { id } = await connected({ tools: named('old') });
    const next = await start({ tools: named('new') });
    await harness.edit(id, `transport = '${JSON.stringify({ type: 'http', url: next.url })}'`);
    await harness.sync(id, 'config_edit');
    expect((await harness.tools(id)).map(({ name, disabled_reason }) => [name, disabled_reason])).toEqual([
      ['new', null],
      ['old', 'vanished'],
    ]);
  });

  it('disconnects when a new URL cannot be listed', async () => {
    const { id } = await connected({ tools: named('old') });
    await harness.edit(id, `transport = '{"type": "http", "url": "http://127.0.0.1:1/mcp"}'`);
    await harness.sync(id, 'config_edit');
    expect((await harness.state(id)).state).toBe('disconnected');
  });

  it('waits for another sync of the integration, and takes over from one that died', async () => {
    const { id } = await connected({ tools: named('a') });
    const claim = `UPDATE catalog.integration_states SET claimed_by = $2, claimed_until = now() + $3::interval WHERE integration_id = $1`;
    await harness.sql.query(claim, [id, randomUUID(), '1 hour']);
    let outcome: unknown;
    const waiting = harness.sync(id).then((synced) => (outcome = synced));
    await eventually(async () => (await harness.queue.counts(queues.catalogSync)).delayed > 0);
    expect(outcome).toBeUndefined();
    await harness.sql.query(claim, [id, randomUUID(), '-1 second']);
    expect(await waiting).toMatchObject({ status: 'synced' });
  });

  it('runs every sync that is asked for at once, and loses none', async () => {
    const { id } = await connected({ tools: named('a') });
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => harness.sync(id)));
    expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('synced'));
  });
});
