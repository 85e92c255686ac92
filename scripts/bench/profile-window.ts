/**
 * Loaded into the services with `--import` when they are profiled: the first SIGUSR2 starts the CPU profiler, the
 * second writes the profile. `--cpu-prof` would profile the start of the service too, and drown the calls in it.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';

const folder = process.env.SWITCHYARD_BENCH_PROFILES;
let running: Session | undefined;

if (folder !== undefined) process.on('SIGUSR2', () => void (running ? stop(running, folder) : start()));

async function start(): Promise<void> {
  running = new Session();
  running.connect();
  await running.post('Profiler.enable');
  await running.post('Profiler.setSamplingInterval', { interval: 500 });
  await running.post('Profiler.start');
}

async function stop(session: Session, into: string): Promise<void> {
  running = undefined;
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(join(into, `${process.pid}.cpuprofile`), JSON.stringify(profile));
}
