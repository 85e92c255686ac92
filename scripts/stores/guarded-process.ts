/**
 * Runs a foreign program (PostgreSQL, Redis, a sample server) so that it never outlives us, not even after `kill -9`:
 * a shell of a few lines holds the read end of a pipe of ours, and ends the program when the pipe breaks.
 * The program gets a process group of its own, so that Ctrl-C in a terminal reaches us and not it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';

const guard = `
signal=$1; shift
exec 3<&0
"$@" </dev/null 3<&- & child=$!
(
  while read -r _ <&3; do :; done
  kill -"$signal" "$child" 2>/dev/null
  for _ in $(seq 50); do kill -0 "$child" 2>/dev/null || exit; sleep 0.2; done
  kill -KILL "$child" 2>/dev/null
) >/dev/null 2>&1 & watcher=$!
wait "$child"; code=$?
kill "$watcher" 2>/dev/null
[ -z "$SWITCHYARD_REMOVE_AFTER" ] || rm -rf "$SWITCHYARD_REMOVE_AFTER"
exit $code
`;

export type GuardedOptions = {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  user?: { uid: number; gid: number };
  /** Asks the program to end. SIGKILL follows after 10 s. */
  stopSignal?: 'TERM' | 'INT';
  /** Removed when the program has ended, however it ended. */
  removeAfter?: string;
  /** Every chunk of stdout and stderr. */
  onOutput?: (text: string) => void;
};

export type GuardedProcess = {
  /** The process group of the program. */
  readonly pid: number;
  readonly ended: Promise<number>;
  hasEnded(): boolean;
  /** Asks the program to end and waits until it has. */
  stop(): Promise<void>;
  /** Ends the program at once, as a crash would. */
  kill(): Promise<void>;
};

export function spawnGuarded(command: string, args: string[], options: GuardedOptions = {}): GuardedProcess {
  const child = spawn('/bin/sh', ['-c', guard, 'guard', options.stopSignal ?? 'TERM', command, ...args], {
    cwd: options.cwd,
    env: { ...(options.env ?? process.env), SWITCHYARD_REMOVE_AFTER: options.removeAfter ?? '' },
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...options.user,
  });
  child.stdin?.on('error', () => undefined);
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => options.onOutput?.(text));
  return handleOf(child, options.removeAfter);
}

function handleOf(child: ChildProcess, removeAfter?: string): GuardedProcess {
  let code: number | undefined;
  const ended = once(child, 'exit').then(
    ([exitCode]: unknown[]) => (code = typeof exitCode === 'number' ? exitCode : 1),
  );
  ended.catch(() => (code = 1));
  return {
    pid: child.pid ?? 0,
    ended,
    hasEnded: () => code !== undefined,
    stop: async () => {
      child.stdin?.end();
      await ended.catch(() => undefined);
    },
    kill: async () => {
      if (code === undefined && child.pid) process.kill(-child.pid, 'SIGKILL');
      await ended.catch(() => undefined);
      if (removeAfter) rmSync(removeAfter, { recursive: true, force: true });
    },
  };
}
