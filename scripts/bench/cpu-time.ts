import { readdirSync, readFileSync } from 'node:fs';

/** CPU time in milliseconds by kind of process. */
export type CpuTimes = Record<string, number>;

const tickMs = 10;

/**
 * The CPU time so far of this process and all that it started, by kind: `client` (this one), `upstream`, the services
 * by name, `redis`, `postgres`. Empty where there is no `/proc`.
 */
export function readCpuTimes(): CpuTimes {
  const processes = readProcesses();
  const times: CpuTimes = {};
  for (const { pid, ticks } of processes.values()) {
    if (!descendsFromUs(pid, processes)) continue;
    const kind = kindOf(pid);
    times[kind] = (times[kind] ?? 0) + ticks * tickMs;
  }
  return times;
}

/** Microseconds of CPU per call and kind of process; kinds that hardly did anything are left out. */
export function cpuPerCall(before: CpuTimes, after: CpuTimes, calls: number): Record<string, number> {
  const spent = Object.entries(after).map(
    ([kind, ms]) => [kind, Math.round(((ms - (before[kind] ?? 0)) * 1_000) / calls)] as const,
  );
  return Object.fromEntries(spent.filter(([, micros]) => micros >= 5).sort(([, a], [, b]) => b - a));
}

/** How busy the whole machine was since its start, and for how long it could have been, in milliseconds of CPU. */
export function readMachineTime(): { busy: number; whole: number } {
  const fields = readText('/proc/stat').split('\n', 1)[0]?.split(/\s+/).slice(1, 9).map(Number) ?? [];
  const whole = fields.reduce((sum, ticks) => sum + ticks, 0);
  const [, , , idle = 0, ioWait = 0] = fields;
  return { busy: (whole - idle - ioWait) * tickMs, whole: whole * tickMs };
}

/** The part of the machine's CPU time that went to others than us: above a few percent, figures are not to be trusted. */
export async function watchOthers<T>(work: () => Promise<T>): Promise<{ result: T; others: number }> {
  const [machine, ours] = [readMachineTime(), sumOf(readCpuTimes())];
  const result = await work();
  const { busy, whole } = readMachineTime();
  const spentByOthers = busy - machine.busy - (sumOf(readCpuTimes()) - ours);
  return { result, others: Math.max(0, spentByOthers / Math.max(1, whole - machine.whole)) };
}

function sumOf(times: CpuTimes): number {
  return Object.values(times).reduce((sum, ms) => sum + ms, 0);
}

type Process = { pid: number; parent: number; ticks: number };

function readProcesses(): Map<number, Process> {
  const found = new Map<number, Process>();
  for (const name of listProc()) {
    const read = readProcess(Number(name));
    if (read) found.set(read.pid, read);
  }
  return found;
}

function listProc(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** The program's name, in parentheses, may hold anything; the fields are counted from behind it. */
function readProcess(pid: number): Process | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === '') return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}

/** Empty where there is no such file: a process may have ended, and not every system has /proc. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function descendsFromUs(pid: number, processes: Map<number, Process>): boolean {
  for (let at = processes.get(pid); at; at = processes.get(at.parent))
    if (at.pid === process.pid) return true;
  return false;
}

function kindOf(pid: number): string {
  if (pid === process.pid) return 'client';
  const command = readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
  const app = /apps\/([\w-]+)\//.exec(command)?.[1];
  if (app) return app;
  return ['upstream', 'redis', 'postgres'].find((kind) => command.includes(kind)) ?? 'other';
}
