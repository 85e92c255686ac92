import type { ModelSettings } from '../settings/model-settings.js';

/**
 * Fires where nothing of an answer comes for too long. Bytes alone are no part of one: a provider can keep a connection open
 * for ever with comments.
 */
export class IdleWatch {
  readonly #ending = new AbortController();
  #timer: NodeJS.Timeout;

  constructor(private readonly settings: Pick<ModelSettings, 'first_byte_timeout_ms' | 'idle_timeout_ms'>) {
    this.#timer = this.#fireAfter(settings.first_byte_timeout_ms + settings.idle_timeout_ms);
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** A part of the answer came. */
  renew(): void {
    clearTimeout(this.#timer);
    this.#timer = this.#fireAfter(this.settings.idle_timeout_ms);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #fireAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#ending.abort(), ms);
  }
}
