import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, workspaceRoot } from '@switchyard/testing';
import { AdminApi } from './admin-api.js';
import { type DevFile, readDevFile, type Service } from './dev-file.js';
import { descendantsOf, isRunning, type ProcessInfo } from './process-table.js';

export type SwitchyardOptions = {
  /** `QUEUE_URL`; without it the queue lies in the embedded PostgreSQL. */
  queueUrl?: string;
  /** Processes per service, where it is not one. */
  scale?: Partial<Record<Service, number>>;
  /** With the sample servers and the first call. */
  samples?: boolean;
  env?: Record<string, string>;
  /** What operators allow besides the sample servers. */
  allowlist?: readonly object[];
  /** A folder prepared beforehand; by default a fresh one. Removed by `stop`. */
  dataFolder?: string;
};

const startLimitMs = 90_000;
const stopLimitMs = 40_000;

/** A whole Switchyard, started as its users start it. */
export class Switchyard {
  output = '';
  #process: ChildProcess | undefined;

  private constructor(
    private readonly options: SwitchyardOptions,
    readonly dataFolder: string,
    private readonly port: number,
  ) {}

  /** Starts all of it and waits until it is ready. */
  static async start(options: SwitchyardOptions = {}): Promise<Switchyard> {
    const dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'switchyard-e2e-'));
    const switchyard = new Switchyard(options, dataFolder, await freePort());
    await switchyard.startAgain();
    return switchyard;
  }

  /** On the same data and port, after `killEverything` or `end`. Gives the milliseconds until it was ready. */
  async startAgain(): Promise<number> {
    const startedAt = Date.now();
    rmSync(join(this.dataFolder, 'dev.json'), { force: true });
    const child = spawn(process.execPath, ['scripts/start.ts', ...this.#args()], {
      cwd: workspaceRoot(),
      env: this.#env(),
      // By the channel it hears of our death, and ends with us.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}:\n${this.output}`);
        return this.#isUp();
      },
      { timeoutMs: startLimitMs, intervalMs: 50 },
    ).catch((error: unknown) => this.#giveUp(error));
    return Date.now() - startedAt;
  }

  get dev(): DevFile {
    const dev = readDevFile(this.dataFolder);
    if (!dev) throw new Error(`no dev.json:\n${this.output}`);
    return dev;
  }

  get mcpUrl(): string {
    return this.dev.mcp_url;
  }

  /** `/mcp` of each replica of the gateway. */
  get mcpUrls(): string[] {
    return (this.dev.gateway_urls ?? [this.dev.gateway_url]).map((url) => new URL('/mcp', url).href);
  }

  get admin(): AdminApi {
    return new AdminApi(() => this.dev.gateway_url, this.dev.admin_key);
  }

  /** The address of the gateway, which stays the same over restarts. */
  readonly origin = (): string => `http://127.0.0.1:${this.port}`;

  /** Ends a process as a crash would. */
  kill(pid: number): void {
    process.kill(pid, 'SIGKILL');
  }

  /** Waits until the supervisor has replaced a process that was killed. */
  async untilReplaced(service: Service, killed: readonly number[]): Promise<readonly number[]> {
    const count = this.options.scale?.[service] ?? 1;
    return eventually(
      () => {
        const now = this.dev.pids[service];
        return now.length === count && now.every((pid) => !killed.includes(pid) && isRunning(pid)) && now;
      },
      { timeoutMs: 30_000, intervalMs: 50 },
    );
  }

  /** Every process below the start script, the embedded store's and stdio children included. */
  processes(): ProcessInfo[] {
    return this.#process?.pid === undefined ? [] : descendantsOf(this.#process.pid);
  }

  /** Ends every process at once, as a power cut would. */
  async killEverything(): Promise<void> {
    const all = this.processes().map(({ pid }) => pid);
    const top = this.#process;
    for (const pid of [...(top?.pid === undefined ? [] : [top.pid]), ...all]) killIfThere(pid);
    if (top && top.exitCode === null && top.signalCode === null) await once(top, 'exit');
    await eventually(() => !all.some(isRunning), { timeoutMs: 15_000 });
  }

  /** Ends the start script alone, as a crash would: nobody is left to end what it started. */
  async killStartScript(): Promise<void> {
    const top = this.#process;
    if (!top) return;
    const ended = once(top, 'exit');
    top.kill('SIGKILL');
    await ended;
  }

  /** Asks it to end, and gives the processes that are left behind (there should be none). The data stays. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<ProcessInfo[]> {
    const top = this.#process;
    const all = this.processes();
    if (top && top.exitCode === null && top.signalCode === null) {
      const ended = once(top, 'exit');
      top.kill(signal);
      const limit = setTimeout(() => top.kill('SIGKILL'), stopLimitMs);
      await ended;
      clearTimeout(limit);
    }
    return all.filter(({ pid }) => isRunning(pid));
  }

  /** Ends it and removes its data. Throws when a process is left behind. */
  async stop(): Promise<void> {
    const left = await this.end();
    for (const { pid } of left) killIfThere(pid);
    rmSync(this.dataFolder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left behind: ${left.map(({ argv }) => argv.join(' ')).join('; ')}`);
  }

  /** What all services and the start script have written. */
  logs(): string {
    const folder = join(this.dataFolder, 'logs');
    return [this.output, ...readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))].join(
      '\n',
    );
  }

  #isUp(): boolean {
    const pids = Object.values(readDevFile(this.dataFolder)?.pids ?? {}).flat();
    return pids.length > 0 && pids.every(isRunning);
  }

  #args(): string[] {
    const scale = Object.entries(this.options.scale ?? {}).flatMap(([service, count]) => [
      '--scale',
      `${service}=${count}`,
    ]);
    return [...scale, ...(this.options.samples ? [] : ['--no-samples'])];
  }

  #env(): NodeJS.ProcessEnv {
    const allowlist = join(this.dataFolder, 'e2e-allowlist.json');
    writeFileSync(allowlist, JSON.stringify(this.options.allowlist ?? []));
    const { DATABASE_URL: _, QUEUE_URL: __, ...inherited } = process.env;
    return {
      ...inherited,
      SWITCHYARD_DATA_DIR: this.dataFolder,
      SWITCHYARD_STDIO_ALLOWLIST: allowlist,
      PORT: String(this.port),
      ...(this.options.queueUrl && { QUEUE_URL: this.options.queueUrl }),
      ...this.options.env,
    };
  }

  async #giveUp(error: unknown): Promise<never> {
    await this.killEverything().catch(() => undefined);
    throw new Error(`Switchyard is not ready: ${String(error)}\n${this.output}`);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}
