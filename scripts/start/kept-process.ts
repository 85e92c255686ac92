/** A program beside the services: started again whenever it ends, until it is asked to. */
import { appendFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type GuardedProcess, spawnGuarded } from '../stores/guarded-process.ts';

const restartPauseMs = 1_000;

export class KeptProcess {
  #process?: GuardedProcess;
  #isStopping = false;

  /** Runs a Node script with these arguments, and this environment beside PATH; what it says goes to the log file. */
  constructor(args: string[], logFile: string, env: NodeJS.ProcessEnv = {}) {
    rmSync(logFile, { force: true });
    void this.#keepRunning(args, logFile, env);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#process?.stop();
  }

  async kill(): Promise<void> {
    this.#isStopping = true;
    await this.#process?.kill();
  }

  async #keepRunning(args: string[], logFile: string, env: NodeJS.ProcessEnv): Promise<void> {
    while (!this.#isStopping) {
      this.#process = spawnGuarded(process.execPath, args, {
        env: { PATH: process.env.PATH, ...env },
        onOutput: (text) => appendFileSync(logFile, text),
      });
      await this.#process.ended;
      await delay(restartPauseMs);
    }
  }
}
