/** One start per data folder. The lock is a file with the process that holds it; a dead holder's lock is taken over. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from './options.ts';

export type StartLock = {
  /** A start that held the lock before died without ending its processes; they end by themselves within seconds. */
  wasAbandoned: boolean;
  release(): void;
};

/** Takes the lock of the folder. Throws when another start runs there. */
export function takeStartLock(folder: string): StartLock {
  const file = join(folder, 'start.lock');
  const own = `${process.pid} ${startedAt(process.pid)}`;
  let wasAbandoned = false;
  for (;;) {
    try {
      writeFileSync(file, own, { flag: 'wx', mode: 0o600 });
      return { wasAbandoned, release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const pid = livingHolder(file);
    if (pid)
      throw new UsageError(
        `Switchyard already runs on ${folder} (process ${pid}).\nEnd it first, or use another folder: SWITCHYARD_DATA_DIR=… PORT=… npm start`,
      );
    wasAbandoned = true;
    rmSync(file, { force: true });
  }
}

function livingHolder(file: string): number | undefined {
  const [pid, began] = (readOptional(file) ?? '').split(' ');
  const running = startedAt(Number(pid));
  return running !== undefined && running === began ? Number(pid) : undefined;
}

/** Tells a process from a later one of the same number: its start time where /proc has it. */
function startedAt(pid: number): string | undefined {
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const stat = readOptional(`/proc/${pid}/stat`);
  if (stat !== undefined) {
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie is dead, whoever forgot to collect it.
    return fields[0] === 'Z' ? undefined : fields[19];
  }
  try {
    process.kill(pid, 0);
    return readOptional('/proc/self/stat') === undefined ? 'alive' : undefined;
  } catch {
    return undefined;
  }
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
