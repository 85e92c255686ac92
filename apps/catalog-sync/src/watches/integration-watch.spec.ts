import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IntegrationState } from '@switchyard/contracts';
import { createLogger } from '@switchyard/service-kit';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import { AttemptError, type Failure } from '../states/failure.js';
import type { Standing } from '../states/next-standing.js';
import type { UpstreamLink } from '../upstreams/upstream-link.js';
import { Gate } from './gate.js';
import { IntegrationWatch } from './integration-watch.js';

const settings = { intervalMs: 10_000, timeoutMs: 5_000, failureThreshold: 5 };
const failure: Failure = {
  stage: 'ping',
  code: 'upstream_unreachable',
  message: 'no',
  needsReauth: false,
  isOurs: false,
};
const integration: SyncedIntegration = {
  id: '7b0e6e0e-9a0c-4a56-8f4e-2a3c58f7a001',
  orgId: '00000000-0000-4000-8000-000000000001',
  slug: 'notes',
  transport: { type: 'http', url: 'https://notes.example/mcp' },
  authMode: 'none',
  syncIntervalMs: 0,
  autoReconnect: true,
  isPerUser: false,
  enabled: true,
  pinned: false,
  version: 1,
  target: 'target',
};

function standing(state: IntegrationState): Standing & { lastSyncAt: Date | null } {
  return { state, consecutiveFailures: 0, failedSyncs: 0, lastFailure: null, lastSyncAt: null };
}

/** An upstream that is up or down, and the table of states, which goes by the count of failures alone. */
class World {
  isUp = true;
  failure = failure;
  opened: {
    isClosed: boolean;
    change: () => void;
    end: () => void;
    update: (uri: string) => void;
    subscribed: string[][];
  }[] = [];
  updated: string[] = [];
  pings = 0;
  recorded: string[] = [];
  syncs = 0;
  failures = 0;

  readonly watch: IntegrationWatch;

  constructor(state: IntegrationState = 'connected') {
    const parts = {
      upstreams: { open: () => Promise.resolve(this.open()) },
      checks: {
        passed: () => Promise.resolve(this.record('passed')),
        failed: () => Promise.resolve(this.record('failed')),
      },
      resourceUpdated: (_: string, uri: string) => void this.updated.push(uri),
      syncRequests: { changed: () => Promise.resolve(void (this.syncs += 1)) },
      ...{ gate: new Gate(4), settings, log: createLogger('test', { level: 'silent' }) },
    };
    this.watch = new IntegrationWatch(parts, integration, standing(state));
  }

  get openLinks(): World['opened'] {
    return this.opened.filter(({ isClosed }) => !isClosed);
  }

  private open(): UpstreamLink {
    if (!this.isUp) throw new AttemptError(this.failure);
    const opened: World['opened'][number] = {
      ...{ isClosed: false, change: () => {}, end: () => {}, update: () => {} },
      subscribed: [],
    };
    this.opened.push(opened);
    return {
      list: () => Promise.reject(new Error('a watch lists nothing')),
      ping: () => {
        this.pings += 1;
        return this.isUp && !opened.isClosed
          ? Promise.resolve()
          : Promise.reject(new AttemptError(this.failure));
      },
      onListsChanged: (listener) => (opened.change = listener),
      onResourceUpdated: (listener) => (opened.update = listener),
      subscribe: (uris) => Promise.resolve(void opened.subscribed.push([...uris])),
      onClose: (listener) => (opened.end = listener),
      close: () => Promise.resolve(void (opened.isClosed = true)),
    };
  }

  private record(what: 'passed' | 'failed'): Standing {
    this.recorded.push(what);
    this.failures = what === 'passed' ? 0 : this.failures + 1;
    const state =
      this.failures === 0
        ? 'connected'
        : this.failures < settings.failureThreshold
          ? 'unstable'
          : 'disconnected';
    return { ...standing(state), consecutiveFailures: this.failures };
  }
}

const pass = (ms: number) => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('IntegrationWatch', () => {
  it('opens a link at once and asks for a sync, for nobody listened before', async () => {
    const world = new World();
    await pass(1_000);
    expect(world.opened).toHaveLength(1);
    expect(world.syncs).toBe(1);
  });

  it('subscribes to what is wanted, anew on each link, and tells of updates', async () => {
    const world = new World();
    world.watch.want(['x:1']);
    await pass(1_000);
    expect(world.opened[0]!.subscribed).toEqual([['x:1']]);
    world.watch.want(['x:1']);
    world.watch.want(['x:1', 'x:2']);
    expect(world.opened[0]!.subscribed).toEqual([['x:1'], ['x:1', 'x:2']]);
    world.opened[0]!.update('x:2');
    expect(world.updated).toEqual(['x:2']);
    world.opened[0]!.end();
    await pass(1_000);
    expect(world.opened[1]!.subscribed).toEqual([['x:1', 'x:2']]);
    world.watch.want([]);
    expect(world.opened[1]!.subscribed.at(-1)).toEqual([]);
  });

  it('checks once per interval and writes nothing while all is well', async () => {
    const world = new World();
    await pass(1_000);
    const before = world.pings;
    await pass(100_000);
    expect(world.pings - before).toBe(10);
    expect(world.recorded).toEqual([]);
    expect(world.opened).toHaveLength(1);
  });

  it('counts one failure per interval and rests at the threshold', async () => {
    const world = new World();
    await pass(1_000);
    world.isUp = false;
    await pass(55_000);
    expect(world.recorded).toEqual(Array(5).fill('failed'));
    await pass(100_000);
    expect(world.recorded).toHaveLength(5);
    expect(world.openLinks).toEqual([]);
  });

  it('does not count what its hasty checks find after a link has ended', async () => {
    const world = new World();
    await pass(10_000);
    world.isUp = false;
    world.opened[0]!.end();
    await pass(4_000);
    expect(world.recorded.length).toBeLessThanOrEqual(1);
  });

  it('opens a new link within half a second of the end of the old one, and asks for a sync', async () => {
    const world = new World();
    await pass(1_000);
    world.opened[0]!.end();
    await pass(500);
    expect(world.openLinks).toHaveLength(1);
    expect(world.opened).toHaveLength(2);
    expect(world.syncs).toBe(2);
    expect(world.recorded).toEqual([]);
  });

  it('takes answered calls for checks', async () => {
    const world = new World();
    await pass(1_000);
    const before = world.pings;
    const calls = setInterval(() => world.watch.heard(Date.now()), 3_000);
    await pass(60_000);
    clearInterval(calls);
    expect(world.pings - before).toBeLessThanOrEqual(1);
    await pass(20_000);
    expect(world.pings - before).toBeGreaterThanOrEqual(1);
  });

  it('does not believe a call from the future for longer than an interval', async () => {
    const world = new World();
    await pass(1_000);
    world.watch.heard(Date.now() + 3_600_000);
    const before = world.pings;
    await pass(30_000);
    expect(world.pings - before).toBeGreaterThanOrEqual(2);
  });

  it('is well again with the first call that is answered', async () => {
    const world = new World();
    await pass(1_000);
    world.isUp = false;
    await pass(10_000);
    world.watch.heard(Date.now());
    await pass(0);
    expect(world.recorded).toEqual(['failed', 'passed']);
  });

  it('does not blame the upstream for a failure of the platform', async () => {
    const world = new World();
    await pass(1_000);
    world.isUp = false;
    world.failure = { ...failure, isOurs: true };
    await pass(60_000);
    expect(world.recorded).toEqual([]);
  });

  it('makes one sync of many changes', async () => {
    const world = new World();
    await pass(1_000);
    for (let change = 0; change < 20; change += 1) {
      world.opened[0]!.change();
      await pass(10);
    }
    await pass(1_000);
    expect(world.syncs).toBe(2);
  });

  it('asks for a sync every second of an upstream that never stops changing', async () => {
    const world = new World();
    await pass(1_000);
    const before = world.syncs;
    for (let change = 0; change < 250; change += 1) {
      world.opened[0]!.change();
      await pass(40);
    }
    expect(world.syncs - before).toBeGreaterThanOrEqual(8);
    expect(world.syncs - before).toBeLessThanOrEqual(11);
  });

  it('asks again for a sync that was lost, and no more once it was made', async () => {
    const world = new World();
    await pass(1_000);
    expect(world.syncs).toBe(1);
    await pass(16_000);
    world.watch.update(integration, standing('connected'));
    await pass(1_000);
    expect(world.syncs).toBe(2);
    await pass(16_000);
    world.watch.update(integration, { ...standing('connected'), lastSyncAt: new Date() });
    await pass(1_000);
    expect(world.syncs).toBe(2);
  });

  it('leaves a sync that failed to its back-off', async () => {
    const world = new World();
    await pass(20_000);
    world.watch.update(integration, { ...standing('connected'), failedSyncs: 1 });
    await pass(20_000);
    world.watch.update(integration, { ...standing('connected'), failedSyncs: 1 });
    await pass(1_000);
    expect(world.syncs).toBe(1);
  });

  it('connects an edited integration anew', async () => {
    const world = new World();
    await pass(1_000);
    world.watch.update({ ...integration, version: 2 }, standing('connected'));
    await pass(500);
    expect(world.opened.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  });

  it.each(['connecting', 'disconnected', 'needs_reauth', 'disabled'] as const)(
    'leaves alone what is %s',
    async (state) => {
      const world = new World(state);
      await pass(60_000);
      expect(world.opened).toEqual([]);
      world.watch.update(integration, standing('connected'));
      await pass(500);
      expect(world.openLinks).toHaveLength(1);
      world.watch.update(integration, standing(state));
      await pass(60_000);
      expect(world.openLinks).toEqual([]);
    },
  );

  it('leaves nothing behind when it stops', async () => {
    const world = new World();
    await pass(1_000);
    await world.watch.stop();
    expect(world.openLinks).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
