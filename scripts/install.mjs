/**
 * What every root command does first: `npm ci` when node_modules is missing or older than the lockfile, then hand over
 * to the Node of node_modules. Plain JavaScript, for this file runs on whatever Node the machine has (20 or later).
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const pinnedNode = join(root, 'node_modules/node/bin/node');

/** Installs if need be, then runs `scripts/<script>` with this process's arguments, and ends as it ends. */
export function runPinned(script) {
  ensureInstalled();
  const child = spawn(pinnedNode, [join(root, 'scripts', script), ...process.argv.slice(2)], {
    cwd: root,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  endWithParent(child);
  child.on('error', (error) => fail(`cannot run ${pinnedNode}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 1)));
}

/** Between npm and us there may be a shell, which does not hand a signal on: when it is gone, so is whoever started us. */
function endWithParent(child) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 1000).unref();
}

function ensureInstalled() {
  if (isInstalled()) return;
  process.stdout.write('Installing packages (npm ci) …\n');
  const started = Date.now();
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const args = [...npm.slice(1), 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync(npm[0], args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) fail('npm ci failed; see above');
  if (!existsSync(pinnedNode))
    fail('the "node" package has no binary: npm must be allowed to run install scripts');
  process.stdout.write(`Installed in ${Math.round((Date.now() - started) / 1000)} s\n`);
}

/** npm notes in node_modules what it installed. Optional packages of other platforms are never there. */
function isInstalled() {
  const wanted = readPackages('package-lock.json');
  const installed = readPackages('node_modules/.package-lock.json');
  if (!wanted || !installed || !existsSync(pinnedNode)) return false;
  return Object.entries(wanted).every(([path, { version, link, optional, devOptional }]) => {
    if (link) return existsSync(join(root, path));
    if (!path.startsWith('node_modules/')) return true;
    return installed[path] ? installed[path].version === version : Boolean(optional || devOptional);
  });
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
