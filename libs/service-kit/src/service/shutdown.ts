import { Injectable } from '@nestjs/common';
import { Log } from '../logs/log.js';

type Step = () => Promise<void> | void;

/** What has to happen when the service ends. Steps that fail are logged and do not stop the others. */
@Injectable()
export class Shutdown {
  readonly #stopTaking: Step[] = [];
  readonly #close: Step[] = [];
  #isClosed = false;

  constructor(private readonly log: Log) {}

  /** First of all: take no new work (close consumers, end streams), and finish or hand back what runs. */
  onStopTaking(step: Step): void {
    this.#stopTaking.push(step);
  }

  /** Last of all, when no request and no job runs any more: close connections. Runs in reverse order. */
  onClose(step: Step): void {
    // A part that came up only after the end had begun, as when a start fails half-way, is closed at once.
    if (this.#isClosed) void this.#attempt(step);
    else this.#close.push(step);
  }

  /** For `startService` alone. */
  async stopTaking(): Promise<void> {
    await Promise.all(this.#stopTaking.splice(0).map((step) => this.#attempt(step)));
  }

  /** For `startService` alone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const step of this.#close.splice(0).reverse()) await this.#attempt(step);
  }

  async #attempt(step: Step): Promise<void> {
    try {
      await step();
    } catch (err) {
      this.log.error({ err }, 'a shutdown step failed');
    }
  }
}
