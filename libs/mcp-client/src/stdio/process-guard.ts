import { spawn, type ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Sees to it that no child outlives this process, not even when it is killed with SIGKILL: one guard process holds a
 * pipe to us and kills the registered process groups when the pipe breaks. Node offers no parent-death signal, and
 * the end of stdin, on which well-behaved servers stop, does not stop the others.
 */
class ProcessGuard {
  private readonly groups = new Set<number>();
  private guard: ChildProcess | undefined;

  /** Starts the guard, if it does not run, before there is anything to guard. */
  async ready(): Promise<void> {
    if (this.guard) return;
    const guard = this.start();
    await new Promise<void>((resolve, reject) => guard.once('spawn', resolve).once('error', reject));
  }

  watch(group: number): void {
    this.groups.add(group);
    // The last child of before may have taken the guard with it since `ready`.
    if (this.guard) this.tell(`+${group}\n`);
    else this.start();
  }

  release(group: number): void {
    if (!this.groups.delete(group)) return;
    this.tell(`-${group}\n`);
    if (this.groups.size === 0) this.stop();
  }

  private start(): ChildProcess {
    const script = fileURLToPath(new URL(`./guard-process${extname(import.meta.url)}`, import.meta.url));
    const guard = spawn(process.execPath, [script], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
    });
    guard.on('exit', () => this.restart(guard));
    guard.on('error', () => this.restart(guard));
    guard.stdin?.on('error', () => undefined);
    guard.unref();
    (guard.stdin as unknown as { unref?: () => void })?.unref?.();
    this.guard = guard;
    for (const group of this.groups) this.tell(`+${group}\n`);
    return guard;
  }

  /** A guard that died is replaced while there is something to guard. */
  private restart(guard: ChildProcess): void {
    if (this.guard !== guard) return;
    this.guard = undefined;
    if (this.groups.size > 0) this.start();
  }

  private stop(): void {
    const guard = this.guard;
    this.guard = undefined;
    guard?.stdin?.end();
  }

  private tell(line: string): void {
    this.guard?.stdin?.write(line);
  }
}

/** The guard of this process. */
export const processGuard = new ProcessGuard();
