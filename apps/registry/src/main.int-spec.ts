import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually, testDatabase, testRedisUrl, workspaceRoot } from '@switchyard/testing';

type Process = { child: ChildProcessByStdio<null, Readable, Readable>; output: () => string };
const running: Process[] = [];
const canary = 'canary-0f3a9c';
const adminKey = `${canary}-admin-key`;

afterEach(async () => {
  for (const { child } of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** The very program that runs in production, compiled, with all that it prints. */
function start(env: Record<string, string>): Process {
  const main = join(workspaceRoot(), 'apps/registry/dist/src/main.js');
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const started = { child, output: () => text };
  running.push(started);
  return started;
}

const portIn = (output: string) => Number(/"httpPort":(\d+)/.exec(output)?.[1]) || undefined;

describe('the process', () => {
  it('serves, logs each request without a secret, and drains on SIGTERM', async () => {
    const database = await testDatabase();
    const { child, output } = start({
      SWITCHYARD_ENV: 'development',
      LOG_LEVEL: 'debug',
      SWITCHYARD_SEAL_KEY: `${canary}-seal-key-0123456789abcdef`,
      QUEUE_URL: await testRedisUrl(),
      REGISTRY_DATABASE_URL: database.urls.registry,
      REGISTRY_ADMIN_KEY: adminKey,
    });
    const port = await eventually(() => portIn(output()), { timeoutMs: 20_000 });
    const ask = async (path: string, init: RequestInit = {}) => {
      const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers, ...init });
      return { status: response.status, body: (await response.json()) as Record<string, string> };
    };
    const post = (path: string, body: unknown) => ask(path, { method: 'POST', body: JSON.stringify(body) });
    const { body: key } = await post('/api/virtual-keys', { name: 'ci' });
    const transport = { type: 'http', url: 'https://93.184.216.34/' };
    expect(
      (
        await post('/api/integrations', {
          slug: 'a',
          transport,
          headers: { Authorization: `Bearer ${canary}-header` },
        })
      ).status,
    ).toBe(503);
    expect(
      (await post('/api/integrations', { slug: 'a', transport, headers: { '\ud800': `${canary}-key` } }))
        .status,
    ).toBe(400);
    await ask(`/api/integrations?slug=${canary}`);
    await ask('/api/integrations', { headers: { authorization: `Bearer ${canary}-wrong` } });
    await eventually(() => output().split('"msg":"request"').length > 5);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(output()).toContain('"route":"/api/virtual-keys"');
    expect(output()).not.toContain(canary);
    expect(output()).not.toContain(key.key);
    await database.close();
  }, 60_000);

  it('does not start without its settings, and names them all', async () => {
    const { child, output } = start({});
    expect(await once(child, 'exit')).toEqual([1, null]);
    for (const name of ['REGISTRY_ADMIN_KEY', 'REGISTRY_DATABASE_URL', 'QUEUE_URL', 'SWITCHYARD_SEAL_KEY'])
      expect(output()).toContain(name);
  });
});
