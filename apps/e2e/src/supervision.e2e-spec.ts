import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { type ConnectedFixture, connectFixture, undoAfterAll } from './harness/connected-fixture.js';
import { callTool, textOf } from './harness/mcp-rpc.js';
import { isRunning } from './harness/process-table.js';
import { Switchyard } from './harness/switchyard.js';

jest.setTimeout(90_000);

/** Generous: machines of CI are slow. The promise is 15 s; the time is printed. */
const laterStartLimitMs = 40_000;

describe('the start script', () => {
  const undo = undoAfterAll();
  let switchyard: Switchyard;
  let fixture: ConnectedFixture;

  beforeAll(async () => {
    switchyard = await Switchyard.start();
    fixture = await connectFixture(switchyard, 'supervised', undo);
  });
  afterAll(() => switchyard?.stop());

  const echo = async (message: string): Promise<string | undefined> =>
    textOf(
      (await callTool(switchyard.mcpUrl, fixture.key, { name: 'supervised_echo', arguments: { message } }))
        .body.result,
    );

  it.each(['registry', 'catalog-sync', 'token-broker', 'dispatch', 'agent-runner', 'gateway'] as const)(
    'replaces a %s that was killed, and says so in dev.json',
    async (service) => {
      const [pid] = switchyard.dev.pids[service] as [number];
      switchyard.kill(pid);
      await switchyard.untilReplaced(service, [pid]);
      await eventually(async () => (await echo(service)) === `Echo: ${service}`, { timeoutMs: 20_000 });
      expect((await switchyard.admin.integrations()).map(({ slug }) => slug)).toContain('supervised');
    },
  );

  it('starts its PostgreSQL again when it was killed, and all services find it', async () => {
    const postgres = () =>
      switchyard.processes().find(({ argv }) => /postgres$/.test(argv[0] ?? '') && argv.includes('-D'));
    const killed = postgres();
    switchyard.kill(killed?.pid as number);
    await eventually(() => postgres()?.pid !== undefined && postgres()?.pid !== killed?.pid, {
      timeoutMs: 30_000,
    });
    await eventually(async () => (await echo('on a new store')) === 'Echo: on a new store', {
      timeoutMs: 60_000,
      intervalMs: 200,
    });
  });

  it('tells the truth about each process', async () => {
    for (const url of Object.values(switchyard.dev.ops_urls).flat()) {
      for (const path of ['/healthz', '/readyz', '/metrics']) {
        expect([path, (await fetch(new URL(path, url))).status]).toEqual([path, 200]);
      }
    }
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ended by %s leaves no process behind, and starts again soon on its data',
    async (signal) => {
      const before = switchyard.processes();
      expect(before.length).toBeGreaterThanOrEqual(5);
      expect(await switchyard.end(signal)).toEqual([]);

      const readyAfterMs = await switchyard.startAgain();
      process.stdout.write(`a later start was ready after ${readyAfterMs} ms\n`);
      expect(readyAfterMs).toBeLessThan(laterStartLimitMs);
      await eventually(async () => (await echo('again')) === 'Echo: again', { timeoutMs: 20_000 });
    },
  );

  it('killed takes everything with it', async () => {
    const below = switchyard.processes().map(({ pid }) => pid);
    await switchyard.killStartScript();
    await eventually(() => !below.some(isRunning), { timeoutMs: 30_000 });
    await switchyard.startAgain();
    await eventually(async () => (await echo('after')) === 'Echo: after', { timeoutMs: 20_000 });
  });
});
