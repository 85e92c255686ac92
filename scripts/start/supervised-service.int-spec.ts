import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@switchyard/testing';
import { ServiceLog } from './service-log.ts';
import { type SupervisedOptions, SupervisedService } from './supervised-service.ts';

const main = join(import.meta.dirname, 'test-fixtures/child.mjs');
const running: SupervisedService[] = [];

type Watched = {
  service: SupervisedService;
  log: string;
  restarts: { why: string; pauseMs: number }[];
  readyCount: () => number;
};

function supervise(behaviour: string, more: Partial<SupervisedOptions> = {}): Watched {
  const log = join(mkdtempSync(join(tmpdir(), 'switchyard-supervised-')), 'child.log');
  const restarts: Watched['restarts'] = [];
  let readyCount = 0;
  const service = new SupervisedService({
    name: 'child',
    main,
    env: { BEHAVIOUR: behaviour, PATH: process.env.PATH },
    log: new ServiceLog('child', log),
    onReady: () => (readyCount += 1),
    onRestart: (why, pauseMs) => restarts.push({ why, pauseMs }),
    ...more,
  });
  running.push(service);
  return { service, log, restarts, readyCount: () => readyCount };
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0);
  } catch {
    return false;
  }
}

afterEach(() => running.splice(0).forEach((service) => service.kill()));

describe('a supervised service', () => {
  it('is up when it says so, with its ports, and its output is in its log', async () => {
    const { service, log } = supervise('good');
    await service.firstReady;
    expect(service.address).toEqual({ httpPort: 1, opsPort: 2 });
    await eventually(() => readFileSync(log, 'utf8').includes('"msg":"up"'));
  });

  it('is started again when it dies, with growing pauses', async () => {
    const { service, restarts, readyCount } = supervise('good');
    await service.firstReady;
    for (const count of [2, 3]) {
      expect(service.isUp).toBe(true);
      process.kill(service.pid ?? 0, 'SIGKILL');
      await eventually(() => !service.isUp);
      await eventually(() => readyCount() === count);
    }
    expect(restarts).toEqual([
      { why: 'SIGKILL', pauseMs: 500 },
      { why: 'SIGKILL', pauseMs: 1_000 },
    ]);
  });

  it('ends when asked, for good', async () => {
    const { service, restarts } = supervise('good');
    await service.firstReady;
    const { pid } = service;
    await service.stop();
    expect(isAlive(pid)).toBe(false);
    expect(restarts).toEqual([]);
  });

  it('can be killed when it does not listen', async () => {
    const { service } = supervise('stubborn');
    await service.firstReady;
    const { pid } = service;
    service.kill();
    await eventually(() => !isAlive(pid));
  });

  it('that never comes up is given up, with its last words', async () => {
    const { service, restarts } = supervise('fails');
    await expect(service.firstReady).rejects.toThrow('the reason why');
    expect(restarts).toHaveLength(4);
  });

  it('that can never come up is given up at once, with the reason instead of its log', async () => {
    const whyHopeless = () => Promise.resolve('Port 8080 is in use: set PORT to another one.');
    const { service, restarts } = supervise('fails', { whyHopeless });
    await expect(service.firstReady).rejects.toThrow(/^Port 8080 is in use: set PORT to another one\.$/);
    expect(restarts).toEqual([]);
  });
});
