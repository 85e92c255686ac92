import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import {
  defineTool,
  eventually,
  type FixtureUpstream,
  onBothQueueBackends,
  startFixtureUpstream,
  textResult,
  workspaceRoot,
} from '@switchyard/testing';
import { CatalogSyncHarness, impatient } from '../catalog-sync-harness-spec.js';

const integrations = 6;
const named = (...names: string[]) => names.map((name) => defineTool(name, {}, () => textResult(name)));

onBothQueueBackends('replicas', (backend) => {
  let harness: CatalogSyncHarness;
  const children: ChildProcess[] = [];
  const upstreams = new Map<string, FixtureUpstream>();

  beforeAll(async () => {
    harness = await CatalogSyncHarness.open(backend);
    await promisify(execFile)(process.execPath, ['scripts/build.ts'], { cwd: workspaceRoot() });
    for (let index = 0; index < integrations; index += 1) {
      const upstream = await startFixtureUpstream({ tools: named('a') });
      upstreams.set(await harness.insert(upstream.url), upstream);
    }
  }, 120_000);
  afterEach(async () => {
    await Promise.all(children.splice(0).map((child) => kill(child, 'SIGTERM')));
  });
  afterAll(async () => {
    await harness.close();
    await Promise.all([...upstreams.values()].map((upstream) => upstream.close()));
  });

  function startProcess(): ChildProcess {
    const patient = { ...impatient, CATALOG_SYNC_HEALTH_TIMEOUT_MS: '5s' };
    const env = { ...harness.env(patient), PATH: process.env.PATH };
    const child = spawn(process.execPath, ['apps/catalog-sync/dist/src/main.js'], {
      cwd: workspaceRoot(),
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    children.push(child);
    return child;
  }

  async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }

  /** How many integrations each live replica watches. */
  async function shares(): Promise<number[]> {
    const rows = await harness.sql.query<{ share: number }>(
      `SELECT count(*) AS share FROM catalog.watches WHERE lease_until > now() GROUP BY owner ORDER BY 1`,
    );
    return rows.map(({ share }) => share);
  }

  async function allHear(name: string): Promise<void> {
    for (const upstream of upstreams.values()) await upstream.setTools(named('a', name));
    for (const id of upstreams.keys()) {
      await eventually(async () =>
        (await harness.tools(id)).some((tool) => tool.name === name && tool.enabled),
      );
    }
  }

  it('share the integrations, and those of a dead one fall to the others', async () => {
    const [one] = [startProcess(), startProcess()];
    await eventually(async () => (await shares()).join() === '3,3', { timeoutMs: 60_000 });
    for (const id of upstreams.keys()) await harness.reaches(id, 'connected', 20_000);
    await allHear('shared');

    await kill(one!, 'SIGKILL');
    await eventually(async () => (await shares()).join() === '6', { timeoutMs: 20_000 });
    await allHear('inherited');
    for (const id of upstreams.keys()) expect((await harness.state(id)).state).toBe('connected');
  }, 180_000);

  it('hand theirs over at once when they end in order', async () => {
    const [one] = [startProcess(), startProcess()];
    await eventually(async () => (await shares()).join() === '3,3', { timeoutMs: 60_000 });
    await kill(one!, 'SIGTERM');
    await eventually(async () => (await shares()).join() === '6', { timeoutMs: 1_000 });
    await allHear('handed over');
  }, 90_000);
});
