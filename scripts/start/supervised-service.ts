/** One process of a service: started, watched, started again when it dies, ended. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { ServiceLog } from './service-log.ts';

const firstPauseMs = 500;
const longestPauseMs = 10_000;
/** After so long a life the next pause is the shortest again. */
const soundLifeMs = 30_000;
const stopLimitMs = 15_000;
const mostFailuresBeforeReady = 5;

/** Something does not start; the message is for the person at the console. */
export class StartError extends Error {}

export type Address = { httpPort?: number; opsPort: number };

export type SupervisedOptions = {
  name: string;
  main: string;
  env: NodeJS.ProcessEnv;
  log: ServiceLog;
  /** The process is up, for the first time or again. */
  onReady: () => void;
  onRestart: (why: string, pauseMs: number) => void;
  /** Asked when the process ended before it was ever up: a reason, in plain words, that no other try would mend. */
  whyHopeless?: () => Promise<string | undefined>;
};

export class SupervisedService {
  /** Resolves when the process was up once; rejects when it does not come up. */
  readonly firstReady: Promise<void>;
  address?: Address;
  readonly #options: SupervisedOptions;
  #child?: ChildProcess;
  #timer?: NodeJS.Timeout;
  #isUp = false;
  #isStopping = false;
  #pauseMs = firstPauseMs;
  #failures = 0;
  #resolve!: () => void;
  #reject!: (error: Error) => void;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    this.firstReady = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.firstReady.catch(() => undefined);
    this.#launch();
  }

  /** Also of one that is still starting. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Whether the process that runs now has said that it is ready. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Asks the process to end and waits; after 15 s it is killed. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const limit = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    clearTimeout(limit);
  }

  kill(): void {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
  }

  #launch(): void {
    const { main, env, log } = this.#options;
    const child = fork(main, { env, silent: true, execArgv: [] });
    const startedAt = Date.now();
    this.#child = child;
    log.restart();
    log.follow(child.stdout);
    log.follow(child.stderr);
    child.on('message', (message) => this.#onMessage(message as Partial<Address> & { ready?: boolean }));
    child.on('error', () => undefined);
    child.once('exit', (code, signal) => void this.#onExit(signal ?? `code ${code}`, Date.now() - startedAt));
  }

  #onMessage({ ready, httpPort, opsPort }: Partial<Address> & { ready?: boolean }): void {
    if (!ready) return;
    this.#failures = 0;
    this.#isUp = true;
    this.address = { httpPort, opsPort: opsPort ?? 0 };
    this.#resolve();
    this.#options.onReady();
  }

  async #onExit(why: string, lifeMs: number): Promise<void> {
    this.#isUp = false;
    if (this.#isStopping) return;
    this.#failures += 1;
    const reason = this.address ? undefined : await this.#whyGivenUp();
    // It may have been asked to end meanwhile.
    if (this.#isStopping) return;
    if (reason !== undefined) {
      this.#reject(new StartError(reason));
      return;
    }
    if (lifeMs >= soundLifeMs) this.#pauseMs = firstPauseMs;
    this.#options.onRestart(why, this.#pauseMs);
    this.#timer = setTimeout(() => this.#launch(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  async #whyGivenUp(): Promise<string | undefined> {
    const { name, log, whyHopeless } = this.#options;
    const hopeless = await whyHopeless?.();
    if (hopeless !== undefined || this.#failures < mostFailuresBeforeReady) return hopeless;
    return `${name} does not start:\n${log.tail()}`;
  }
}
