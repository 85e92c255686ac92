import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process of this machine. Those that have ended but were not waited for are left out. */
export type ProcessInfo = { readonly pid: number; readonly parent: number; readonly argv: readonly string[] };

export function processTable(): ProcessInfo[] {
  return existsSync('/proc/self/stat') ? fromProc() : fromPs();
}

/** Every process below `pid`, however deep. */
export function descendantsOf(pid: number, table = processTable()): ProcessInfo[] {
  const children = table.filter(({ parent }) => parent === pid);
  return children.flatMap((child) => [child, ...descendantsOf(child.pid, table)]);
}

/** The processes above `pid`, nearest first. */
export function ancestorsOf(pid: number, table = processTable()): number[] {
  const parent = table.find((one) => one.pid === pid)?.parent;
  return parent === undefined || parent === 0 ? [] : [parent, ...ancestorsOf(parent, table)];
}

export function isRunning(pid: number): boolean {
  return processTable().some((one) => one.pid === pid);
}

function fromProc(): ProcessInfo[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        if (state === 'Z' || state === 'X') return [];
        const argv = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1);
        return [{ pid: Number(name), parent: Number(parent), argv }];
      } catch {
        return []; // it ended while we looked
      }
    });
}

function fromPs(): ProcessInfo[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,state=,command='], { encoding: 'utf8' }).split(
    '\n',
  );
  return lines.flatMap((line) => {
    const [pid, parent, state, ...argv] = line.trim().split(/\s+/);
    return !pid || state?.startsWith('Z') ? [] : [{ pid: Number(pid), parent: Number(parent), argv }];
  });
}
