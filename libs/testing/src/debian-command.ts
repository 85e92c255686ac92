import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';

/**
 * The path of a program that tests need, by the first of its names that there is. On Debian, as root, it is installed
 * where it is missing; elsewhere that is an error that says what to do.
 */
export function debianCommand(names: readonly string[], { install, hint = '' }: Needed): string {
  const found = lookUp(names);
  if (found) return found;
  if (userInfo().uid === 0 && existsSync('/usr/bin/apt-get')) {
    process.stderr.write(`${install} is missing: installing it with apt-get\n`);
    installPackage(install);
  }
  const installed = lookUp(names);
  if (installed) return installed;
  throw new Error(`The tests need ${install} and found none. Install ${install}${hint}.`);
}

/** `install`: its package on Debian. */
type Needed = { readonly install: string; readonly hint?: string };

function lookUp(names: readonly string[]): string | undefined {
  const command = names.map((name) => `command -v ${name}`).join(' || ');
  return spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' }).stdout.trim() || undefined;
}

function installPackage(name: string): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', name],
  ]) {
    try {
      execFileSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 });
    } catch {
      // The look-up that follows decides; a failed update does not matter where the package is in the cache.
    }
  }
}
