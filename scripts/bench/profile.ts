import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchOptions } from './options.ts';
import { type CpuProfile, type ProfileSummary, summarizeProfile } from './profile-summary.ts';
import { register } from './registration.ts';
import { type QueueBackend, startSwitchyard, type Switchyard } from './switchyard.ts';
import { table } from './table.ts';
import { inFlight, loadOf, measure } from './tool-calls.ts';

const profiled = ['gateway', 'dispatch'] as const;
const writtenWithinMs = 20_000;

export type ProfiledRun = { queue: QueueBackend; calls_per_second: number } & Record<
  (typeof profiled)[number],
  ProfileSummary
>;

/** Profiles gateway and dispatch while safe calls are made with 32 in flight. */
export async function profileCalls(
  queue: QueueBackend,
  { folder, options }: { folder: string; options: BenchOptions },
): Promise<ProfiledRun> {
  const profiles = join(folder, 'profiles');
  mkdirSync(profiles, { recursive: true });
  const switchyard = await startSwitchyard(queue, { folder, profiles });
  try {
    const { slug, through } = await register(switchyard, 'bench', '/echo');
    const run = () =>
      measure({ endpoint: through, tool: `${slug}_echo` }, 'legacy', loadOf('parallel', options.phaseMs));
    await run();
    signal(switchyard);
    const { perSecond } = await run();
    signal(switchyard);
    const [gateway, dispatch] = await Promise.all(
      profiled.map((name) => readProfile(profiles, switchyard.pidOf(name))),
    );
    if (options.keepIn !== undefined) keepProfiles(options.keepIn, profiles, switchyard);
    if (!gateway || !dispatch) throw new Error('a profile is missing');
    return { queue, calls_per_second: perSecond, gateway, dispatch };
  } finally {
    await switchyard.stop();
  }
}

function signal(switchyard: Switchyard): void {
  for (const name of profiled) process.kill(switchyard.pidOf(name), 'SIGUSR2');
}

function keepProfiles(keepIn: string, profiles: string, switchyard: Switchyard): void {
  mkdirSync(keepIn, { recursive: true });
  for (const name of profiled) {
    const file = join(profiles, `${switchyard.pidOf(name)}.cpuprofile`);
    copyFileSync(file, join(keepIn, `${name}-${switchyard.backend}.cpuprofile`));
  }
}

async function readProfile(folder: string, pid: number): Promise<ProfileSummary> {
  const file = join(folder, `${pid}.cpuprofile`);
  for (const giveUpAt = Date.now() + writtenWithinMs; Date.now() < giveUpAt; await delay(200)) {
    const profile = existsSync(file) ? parsed(readFileSync(file, 'utf8')) : undefined;
    if (profile) return summarizeProfile(profile);
  }
  throw new Error(`no profile of process ${pid} was written`);
}

/** Undefined while the file is still being written. */
function parsed(text: string): CpuProfile | undefined {
  try {
    return JSON.parse(text) as CpuProfile;
  } catch {
    return undefined;
  }
}

export function renderProfiles(runs: ProfiledRun[]): string {
  const share = (value: number): string => `${(value * 100).toFixed(1)} %`;
  return runs
    .flatMap((run) =>
      profiled.map((name) => {
        const { busyShare, packages, functions } = run[name];
        const rows = packages.map((entry, index) => [
          entry.name,
          share(entry.share),
          functions[index]?.name ?? '',
          functions[index] ? share(functions[index].share) : '',
        ]);
        const title = `${name}, ${run.queue} queue, ${inFlight} in flight, ${run.calls_per_second.toFixed(0)} calls/s: busy ${share(busyShare)}`;
        return `${title}\n\n${table(['nearest package', 'of busy time', 'function', 'of busy time'], rows)}`;
      }),
    )
    .join('\n\n');
}
