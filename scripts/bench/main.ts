/** `npm run bench`: what Switchyard costs, against the same calls made directly. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { benchBacklog } from './backlog.ts';
import { judge, type Results } from './goals.ts';
import { eras } from './mcp-session.ts';
import { type BenchName, type BenchOptions, help, readOptions } from './options.ts';
import { profileCalls, type ProfiledRun, renderProfiles } from './profile.ts';
import { register } from './registration.ts';
import { renderReport } from './report.ts';
import { type QueueBackend, startSwitchyard, stopAll } from './switchyard.ts';
import { benchToolCalls } from './tool-calls.ts';
import { benchToolLists } from './tool-lists.ts';
import { readVersions } from './versions.ts';

const backends: QueueBackend[] = ['redis', 'postgres'];

const options = readOptions(process.argv.slice(2));
if (options) await main(options);
else process.stdout.write(help);

async function main(options: BenchOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'));
  // As root, PostgreSQL runs as another user, who must pass through.
  chmodSync(folder, 0o711);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void giveUp(folder));
  try {
    const measured = options.profile ? await profileAll(folder, options) : await measureAll(folder, options);
    const json = JSON.stringify({ ...circumstances(options), ...measured.json }, null, 2);
    process.stdout.write(`\n${measured.text}\n\n${json}\n`);
    if (options.json) writeFileSync(options.json, `${json}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What was started ends before its files go. */
async function giveUp(folder: string): Promise<void> {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
  process.exit(130);
}

async function measureAll(folder: string, options: BenchOptions): Promise<{ text: string; json: object }> {
  const results: Results = { calls: [], lists: [], backlog: [] };
  for (const backend of backends) await measureOn(backend, { folder, options, results });
  return { text: renderReport(results), json: { ...results, goals: judge(results) } };
}

/** All that is asked for on one queue, in one Switchyard. Lists do not depend on the queue and are taken once. */
async function measureOn(
  backend: QueueBackend,
  { folder, options, results }: { folder: string; options: BenchOptions; results: Results },
): Promise<void> {
  const wants = (name: BenchName): boolean => options.only.includes(name);
  const wantsLists = wants('lists') && results.lists.length === 0;
  if (!wants(backend) && !wants(`backlog-${backend}`) && !wantsLists) return;
  say(`${backend} queue: starting`);
  const switchyard = await startSwitchyard(backend, { folder: join(folder, backend) });
  try {
    const registered = await register(switchyard, 'bench', '/echo');
    for (const era of wants(backend) ? eras : []) {
      say(`${backend} queue: calls, ${era} era`);
      results.calls.push({ queue: backend, ...(await benchToolCalls(registered, era, options)) });
    }
    if (wantsLists) {
      say('tools/list');
      results.lists.push(...(await benchToolLists(switchyard, options)));
    }
    if (wants(`backlog-${backend}`)) {
      say(`${backend} queue: interactive calls beside a backlog of ${options.backlog}`);
      results.backlog.push(await benchBacklog(switchyard, registered, options));
    }
  } finally {
    await switchyard.stop();
  }
}

async function profileAll(folder: string, options: BenchOptions): Promise<{ text: string; json: object }> {
  const profiles: ProfiledRun[] = [];
  for (const backend of backends.filter((name) => options.only.includes(name))) {
    say(`${backend} queue: profiling`);
    profiles.push(await profileCalls(backend, { folder: join(folder, backend), options }));
  }
  return { text: renderProfiles(profiles), json: { profiles } };
}

function circumstances({ pairs, phaseMs, isQuick }: BenchOptions): object {
  const [cpu] = cpus();
  const machine = { cpu: cpu?.model, cores: cpus().length, memory_bytes: totalmem() };
  return {
    date: new Date().toISOString(),
    machine,
    versions: readVersions(),
    pairs,
    phase_ms: phaseMs,
    quick: isQuick,
  };
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}
