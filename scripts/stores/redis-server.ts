/** A Redis of our own on a free port of the loopback interface, from the `redis-server` of the machine. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import { spawnGuarded } from './guarded-process.ts';

export type RedisServer = {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  /** Ends it as a crash would: what it held in memory is lost. */
  kill(): Promise<void>;
};

/** How many numbered databases the server has, so that each test file can have one. */
export const redisDatabases = 4096;

/** Starts a server that keeps everything in memory; on `port` if given, to bring a killed one back. */
export async function startRedis(options: { port?: number } = {}): Promise<RedisServer> {
  const program = findRedis();
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-redis-'));
  const port = options.port ?? (await freePort());
  const output: string[] = [];
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    databases: redisDatabases,
    save: '',
    appendonly: 'no',
    daemonize: 'no',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawnGuarded(program, args, {
    cwd: '/',
    removeAfter: folder,
    onOutput: (text) => output.push(text),
  });
  for (
    const giveUpAt = Date.now() + 15_000;
    !/ready to accept connections/i.test(output.join(''));
    await delay(10)
  ) {
    if (!server.hasEnded() && Date.now() < giveUpAt) continue;
    await server.kill();
    throw new Error(`Redis did not start:\n${output.join('')}`);
  }
  return { url: `redis://127.0.0.1:${port}`, port, stop: () => server.stop(), kill: () => server.kill() };
}

/** The program's path. On Debian, as root, it is installed when missing; elsewhere that is an error that says what to do. */
function findRedis(): string {
  const found = lookUp();
  if (found) return found;
  if (userInfo().uid === 0 && existsSync('/usr/bin/apt-get')) {
    process.stderr.write('redis-server is missing: installing it with apt-get\n');
    installRedis();
  }
  const installed = lookUp();
  if (installed) return installed;
  throw new Error(
    'The tests need Redis and found none. Install redis-server, start Docker, or set TEST_REDIS_URL.',
  );
}

function lookUp(): string | undefined {
  const { stdout } = spawnSync('/bin/sh', ['-c', 'command -v redis-server'], { encoding: 'utf8' });
  return stdout.trim() || undefined;
}

function installRedis(): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'redis-server'],
  ]) {
    try {
      execFileSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 300_000 });
    } catch {
      // The look-up that follows decides; a failed update does not matter where the package is in the cache.
    }
  }
}
