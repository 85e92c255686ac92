/** A PostgreSQL of our own on a free port of the loopback interface: made, started, found again and stopped. */
import { randomUUID } from 'node:crypto';
import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { type GuardedProcess, spawnGuarded } from './guarded-process.ts';
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts';

export type PostgresServer = {
  /** As the superuser, to the database `postgres`. */
  readonly url: string;
  readonly ended: Promise<number>;
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
};

export type PostgresOptions = {
  folder: string;
  password: string;
  /** A free one by default. */
  port?: number;
  /** Tests alone: nothing is written through to the disk. */
  isThrowaway?: boolean;
  /** Every line of the server's log. */
  onOutput?: (text: string) => void;
};

const superuser = 'switchyard';
const readyLimitMs = 60_000;
/** Above the largest that Linux gives. */
const nobodysPid = 2_147_483_646;
const childrenLimitMs = 10_000;

/** Makes the cluster in `folder` unless there is one, stops a server that an earlier run left behind, and starts. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const binaries = findPostgres();
  await stopStale(options.folder);
  if (!existsSync(join(options.folder, 'PG_VERSION'))) await createCluster(binaries, options);
  const { server, port } = await launch(binaries, options);
  const url = `postgres://${superuser}:${encodeURIComponent(options.password)}@127.0.0.1:${port}/postgres`;
  return { url, ended: server.ended, stop: () => server.stop(), kill: () => server.kill() };
}

/** Children of a server that crashed may live for a moment, and PostgreSQL does not start beside them. */
async function launch(
  binaries: PostgresBinaries,
  options: PostgresOptions,
): Promise<{ server: GuardedProcess; port: number }> {
  for (const giveUpAt = Date.now() + childrenLimitMs; ; await delay(200)) {
    try {
      const port = options.port ?? (await freePort());
      return { server: await launchOnce(binaries, options, port), port };
    } catch (error) {
      if (!/shared memory block/.test(String(error)) || Date.now() > giveUpAt) throw error;
    }
  }
}

async function launchOnce(
  binaries: PostgresBinaries,
  options: PostgresOptions,
  port: number,
): Promise<GuardedProcess> {
  const output: string[] = [];
  const server = spawnGuarded(
    binaries.postgres,
    ['-D', options.folder, '-p', String(port), ...settings(options)],
    {
      cwd: '/',
      env: { PATH: process.env.PATH, TZ: 'UTC', LC_MESSAGES: 'C' },
      user: binaries.user,
      stopSignal: 'INT',
      removeAfter: options.isThrowaway ? options.folder : undefined,
      onOutput: (text) => {
        output.splice(0, output.length - 40);
        output.push(text);
        options.onOutput?.(text);
      },
    },
  );
  await untilReady(server, output);
  return server;
}

function settings({ isThrowaway }: PostgresOptions): string[] {
  const always = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=400',
    'timezone=UTC',
    'log_min_messages=warning',
  ];
  const fast = [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'wal_level=minimal',
    'max_wal_senders=0',
    'autovacuum_naptime=10min',
  ];
  return [...always, ...(isThrowaway ? fast : [])].flatMap((setting) => ['-c', setting]);
}

async function createCluster(
  { initdb, user }: PostgresBinaries,
  { folder, password, isThrowaway }: PostgresOptions,
): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const passwordFile = join(tmpdir(), `switchyard-${randomUUID()}`);
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  if (user) for (const path of [folder, passwordFile]) chownSync(path, user.uid, user.gid);
  const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const flags = [
    '-D',
    folder,
    '-U',
    superuser,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    ...locale,
  ];
  try {
    await promisify(execFile)(initdb, [...flags, ...(isThrowaway ? ['--no-sync'] : [])], {
      cwd: '/',
      ...user,
    });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function untilReady(server: GuardedProcess, output: string[]): Promise<void> {
  const giveUpAt = Date.now() + readyLimitMs;
  while (!output.join('').includes('ready to accept connections')) {
    if (server.hasEnded() || Date.now() > giveUpAt) {
      await server.kill();
      throw new Error(`PostgreSQL did not start:\n${output.join('')}`);
    }
    await delay(20);
  }
}

/** A server whose start script was killed together with its guard. Its own lock file names it. */
async function stopStale(folder: string): Promise<void> {
  const lockFile = join(folder, 'postmaster.pid');
  if (!existsSync(lockFile)) return;
  const lock = readFileSync(lockFile, 'utf8');
  const pid = Number.parseInt(lock, 10);
  if (isServing(pid, folder)) process.kill(pid, 'SIGINT');
  for (const giveUpAt = Date.now() + 15_000; isServing(pid, folder); await delay(50)) {
    if (Date.now() > giveUpAt)
      throw new Error(`An earlier PostgreSQL (process ${pid}) still runs on ${folder} and does not stop.`);
  }
  // PostgreSQL takes a zombie, and whoever has the number now, for its predecessor. The rest of the file must stay:
  // by the shared memory named there it knows whether the predecessor's children are gone.
  if (existsSync(lockFile)) writeFileSync(lockFile, lock.replace(/^\d+/, String(nobodysPid)));
}

/** Whether the process is a PostgreSQL on this folder: the number may have gone to another since. */
function isServing(pid: number, folder: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const command = commandOf(pid);
  return command.includes('postgres') && command.includes(folder);
}

function commandOf(pid: number): string {
  if (!existsSync('/proc/self/cmdline')) {
    return spawnSync('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout ?? '';
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
