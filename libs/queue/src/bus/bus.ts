import { randomUUID } from 'node:crypto';
import type { Sealer } from '../sealer.js';
import { settledWithin } from '../timing.js';
import type { BusLink } from './bus-link.js';

const sealLength = 43;
const beatEveryMs = 5_000;

type Handler = { readonly fn: (message: unknown) => void; readonly maxAgeMs: number };

/**
 * Messages between processes: sent once, to whoever listens now, kept nowhere. Every frame is sealed, so that a
 * store that somebody else can write to gives no answers. A link that looks alive but brings nothing (a half-open
 * socket, a failed-over server) shows by a message to oneself that does not come back, and is made anew.
 */
export class Bus {
  readonly #link: BusLink;
  readonly #sealer: Sealer;
  readonly #report: (error: unknown) => void;
  readonly #handlers = new Map<string, Set<Handler>>();
  readonly #onUp = new Set<() => void>();
  readonly #beatChannel = `beat-${randomUUID()}`;
  #beat: NodeJS.Timeout | undefined;
  #beatAnswered = true;
  #sent = 0;
  #isUp = false;
  #closed = false;

  constructor(link: BusLink, sealer: Sealer, report: (error: unknown) => void) {
    this.#link = link;
    this.#sealer = sealer;
    this.#report = report;
  }

  /** Connects, and goes on trying; resolves when connected or after `limitMs`. */
  async open(limitMs: number): Promise<void> {
    const beaten = { fn: () => void (this.#beatAnswered = true), maxAgeMs: Number.POSITIVE_INFINITY };
    this.#handlers.set(this.#beatChannel, new Set([beaten]));
    await this.#link.listen(this.#beatChannel);
    this.#link.open({
      frame: (channel, text) => this.#receive(channel, text),
      up: () => this.#wentUp(),
      down: () => void (this.#isUp = false),
      error: (error) => this.#report(error),
    });
    this.#beat = setInterval(() => this.#checkBeat(), beatEveryMs);
    this.#beat.unref();
    await this.whenUp(limitMs);
  }

  /** Resolves to whether the bus is connected, after at most `limitMs`. */
  async whenUp(limitMs: number): Promise<boolean> {
    if (this.#isUp || limitMs <= 0) return this.#isUp;
    let stop = () => {};
    const up = new Promise<void>((resolve) => (stop = this.onUp(resolve)));
    await settledWithin(up, limitMs);
    stop();
    return this.#isUp;
  }

  /** Calls `fn` each time the link has come up, with every channel listening again. */
  onUp(fn: () => void): () => void {
    this.#onUp.add(fn);
    return () => void this.#onUp.delete(fn);
  }

  /** Sends to all who listen on the channel now. Rejects when the link is down. */
  async publish(channel: string, message: unknown): Promise<void> {
    await this.send(channel, this.seal(channel, message));
  }

  /** The text of a message as it travels on this channel. */
  seal(channel: string, message: unknown): string {
    // The number makes each frame unique: PostgreSQL delivers equal notifications of one transaction once.
    const text = JSON.stringify([++this.#sent, Date.now(), message]);
    return this.#sealer.sealText(`bus:${channel}`, text) + text;
  }

  /** As `publish`, for a sealed text. */
  async send(channel: string, frame: string): Promise<void> {
    await this.#link.send(channel, frame);
  }

  /**
   * Resolves when messages come in (at once while the link is down), to a function that ends it. A message that was sealed
   * more than `maxAgeMs` ago is dropped: somebody has kept it, to send it again.
   */
  async subscribe(
    channel: string,
    fn: (message: unknown) => void,
    { maxAgeMs = Number.POSITIVE_INFINITY }: { maxAgeMs?: number } = {},
  ): Promise<() => Promise<void>> {
    const handler = { fn, maxAgeMs };
    const handlers = this.#handlers.get(channel) ?? new Set();
    handlers.add(handler);
    this.#handlers.set(channel, handlers);
    if (handlers.size === 1) await this.#link.listen(channel);
    return async () => {
      if (!handlers.delete(handler) || handlers.size > 0) return;
      this.#handlers.delete(channel);
      if (!this.#closed) await this.#link.unlisten(channel);
    };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#isUp = false;
    clearInterval(this.#beat);
    await this.#link.close();
  }

  #wentUp(): void {
    this.#isUp = true;
    this.#beatAnswered = true;
    for (const fn of [...this.#onUp]) this.#guarded(fn);
  }

  #receive(channel: string, frame: string): void {
    const text = frame.slice(sealLength);
    if (!this.#sealer.verifyText(`bus:${channel}`, text, frame.slice(0, sealLength))) {
      this.#report(new Error(`a message without a valid seal was dropped on ${channel}`));
      return;
    }
    const [, sealedAt, message] = JSON.parse(text) as [number, number, unknown];
    const ageMs = Date.now() - sealedAt;
    for (const { fn, maxAgeMs } of this.#handlers.get(channel) ?? []) {
      if (ageMs <= maxAgeMs) this.#guarded(() => fn(message));
      else
        this.#report(new Error(`a message of ${Math.round(ageMs / 1000)} s ago was dropped on ${channel}`));
    }
  }

  #checkBeat(): void {
    if (!this.#isUp) return;
    if (!this.#beatAnswered) {
      this.#report(new Error('the bus brings no messages; its connection is made anew'));
      this.#link.reset();
      return;
    }
    this.#beatAnswered = false;
    this.publish(this.#beatChannel, null).catch((error: unknown) => {
      // A publisher that fails says nothing about the connection that listens.
      this.#beatAnswered = true;
      this.#report(error);
    });
  }

  #guarded(fn: () => void): void {
    try {
      fn();
    } catch (error) {
      this.#report(error);
    }
  }
}
