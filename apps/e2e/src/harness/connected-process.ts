import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Which of the processes hold a TCP connection to a port of this machine. */
export function connectedTo(port: number, pids: readonly number[]): number[] {
  return existsSync('/proc/net/tcp') ? fromProc(port, pids) : fromLsof(port, pids);
}

const established = '01';

function fromProc(port: number, pids: readonly number[]): number[] {
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  const sockets = new Set(
    rows
      .map((row) => row.trim().split(/\s+/))
      .filter(
        ([, , remote, state]) =>
          state === established && Number.parseInt(remote?.split(':')[1] ?? '', 16) === port,
      )
      .map((columns) => `socket:[${columns[9]}]`),
  );
  return pids.filter((pid) => openFiles(pid).some((file) => sockets.has(file)));
}

function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // it was closed while we looked
    }
  });
}

function fromLsof(port: number, pids: readonly number[]): number[] {
  const found = execFileSync('lsof', ['-nP', '-t', '-sTCP:ESTABLISHED', `-iTCP@127.0.0.1:${port}`], {
    encoding: 'utf8',
  });
  return pids.filter((pid) => found.split('\n').includes(String(pid)));
}
