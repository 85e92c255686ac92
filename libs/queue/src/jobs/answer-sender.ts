import type { Bus } from '../bus/bus.js';
import { settledWithin } from '../timing.js';
import type { AnswerMessage } from './answers.js';

/** An asker whose connection was lost tells all workers on this channel: answers may have gone past it. */
export const resendChannel = 'resend-answers';

/** How long and how much of what was sent is kept to be sent again; what could not be sent is kept longer. */
const keptMs = 15_000;
const keptUnsentMs = 120_000;
const keptChars = 16_000_000;
const retryMs = 300;

type Kept = { channel: string; frame: string; at: number; sent: boolean };

/**
 * Sends answers to askers. The bus keeps nothing, so the worker keeps its latest answers for a while: it sends them
 * again when its own connection comes back, and when an asker says that its was away. An asker drops what it has.
 */
export class AnswerSender {
  readonly #bus: Bus;
  readonly #report: (error: unknown) => void;
  readonly #kept = new Set<Kept>();
  #keptChars = 0;
  #sending: Promise<unknown> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #stopListening = () => {};

  constructor(bus: Bus, report: (error: unknown) => void) {
    this.#bus = bus;
    this.#report = report;
  }

  async open(): Promise<void> {
    this.#stopListening = this.#bus.onUp(() => this.#sendAgain(() => true));
    await this.#bus.subscribe(resendChannel, (asker) => this.#sendAgain(({ channel }) => channel === asker));
  }

  /** Sends a result or an error; resolves when it is sent, or kept to be sent once the bus is back. Never rejects. */
  async answer(channel: string, message: AnswerMessage): Promise<void> {
    const answer: Kept = { channel, frame: this.#bus.seal(channel, message), at: Date.now(), sent: false };
    this.#keep(answer);
    await this.#send(answer);
  }

  /** Sends an event; one that is lost is lost. */
  event(channel: string, message: AnswerMessage): void {
    this.#bus.publish(channel, message).catch(this.#report);
  }

  /** Gives answers that are not sent yet a last moment. */
  async close(limitMs: number): Promise<void> {
    this.#stopListening();
    clearTimeout(this.#retry);
    this.#sendAgain(({ sent }) => !sent);
    await settledWithin(this.#sending, limitMs);
    this.#kept.clear();
  }

  async #send(answer: Kept): Promise<void> {
    try {
      await this.#bus.send(answer.channel, answer.frame);
      answer.sent = true;
    } catch (error) {
      this.#report(error);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#sendAgain(({ sent }) => !sent), retryMs).unref();
    }
  }

  #sendAgain(which: (answer: Kept) => boolean): void {
    this.#forgetOld();
    const wanted = [...this.#kept].filter(which);
    this.#sending = Promise.all([this.#sending, ...wanted.map((answer) => this.#send(answer))]);
  }

  #keep(answer: Kept): void {
    this.#kept.add(answer);
    this.#keptChars += answer.frame.length;
    this.#forgetOld();
  }

  /** Oldest first: a set keeps its order. */
  #forgetOld(): void {
    const now = Date.now();
    for (const answer of this.#kept) {
      const isOld = now - answer.at > (answer.sent ? keptMs : keptUnsentMs);
      if (!isOld && this.#keptChars <= keptChars) return;
      this.#kept.delete(answer);
      this.#keptChars -= answer.frame.length;
    }
  }
}
