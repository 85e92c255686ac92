import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { type Browser, launch } from 'puppeteer-core';

/** A real browser without a window. Each test opens a context of its own, which shares nothing with others. */
export async function startChromium(): Promise<Browser> {
  return launch({
    executablePath: findChromium(),
    // As root it has no sandbox; the pages are our own.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  });
}

/** The program's path. On Debian, as root, it is installed when missing; elsewhere that is an error that says what to do. */
function findChromium(): string {
  const named = process.env['CHROMIUM_PATH'];
  if (named) return named;
  const found = lookUp();
  if (found) return found;
  if (userInfo().uid === 0 && existsSync('/usr/bin/apt-get')) {
    process.stderr.write('chromium is missing: installing it with apt-get\n');
    installChromium();
  }
  const installed = lookUp();
  if (installed) return installed;
  throw new Error('The tests need Chromium and found none. Install chromium, or set CHROMIUM_PATH.');
}

function lookUp(): string | undefined {
  const command = 'command -v chromium || command -v chromium-browser || command -v google-chrome';
  return spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' }).stdout.trim() || undefined;
}

function installChromium(): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium'],
  ]) {
    try {
      execFileSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 });
    } catch {
      // The look-up that follows decides; a failed update does not matter where the package is in the cache.
    }
  }
}
