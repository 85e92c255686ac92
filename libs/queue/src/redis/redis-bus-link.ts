import { Redis } from 'ioredis';
import type { BusLink, LinkEvents } from '../bus/bus-link.js';
import { promptConnection, subscriberConnection } from './redis-options.js';

/** The bus over Redis publish/subscribe: one connection that listens and one that publishes. */
export class RedisBusLink implements BusLink {
  readonly #publisher: Redis;
  readonly #subscriber: Redis;
  readonly #prefix: string;
  readonly #channels = new Set<string>();
  #events: LinkEvents | undefined;

  constructor(options: { url: string; prefix: string; name: string }) {
    this.#prefix = `${options.prefix}:bus:`;
    this.#publisher = new Redis(options.url, { ...promptConnection(options.name), lazyConnect: true });
    this.#subscriber = new Redis(options.url, { ...subscriberConnection(options.name), lazyConnect: true });
  }

  open(events: LinkEvents): void {
    this.#events = events;
    const connections = [this.#publisher, this.#subscriber];
    for (const connection of connections) connection.on('error', (error) => events.error(error));
    for (const connection of connections) {
      connection.on('ready', () => void this.#connected());
      connection.on('close', () => events.down());
    }
    this.#subscriber.on('message', (channel, text) => events.frame(channel.slice(this.#prefix.length), text));
    // A first connect that fails is retried like any other; its error is reported by the event.
    for (const connection of connections) connection.connect().catch(() => undefined);
  }

  async listen(channel: string): Promise<void> {
    this.#channels.add(channel);
    if (this.#subscriber.status !== 'ready') return;
    // A failure here is a lost connection, and the next one subscribes to all channels.
    await this.#subscriber.subscribe(this.#prefix + channel).catch((error) => this.#events?.error(error));
  }

  async unlisten(channel: string): Promise<void> {
    this.#channels.delete(channel);
    if (this.#subscriber.status !== 'ready') return;
    await this.#subscriber.unsubscribe(this.#prefix + channel).catch((error) => this.#events?.error(error));
  }

  async send(channel: string, text: string): Promise<void> {
    await this.#publisher.publish(this.#prefix + channel, text);
  }

  reset(): void {
    this.#subscriber.disconnect(true);
  }

  async close(): Promise<void> {
    for (const connection of [this.#publisher, this.#subscriber]) {
      connection.removeAllListeners('close');
      connection.disconnect();
    }
  }

  async #connected(): Promise<void> {
    if (this.#publisher.status !== 'ready' || this.#subscriber.status !== 'ready') return;
    try {
      const channels = [...this.#channels].map((channel) => this.#prefix + channel);
      if (channels.length > 0) await this.#subscriber.subscribe(...channels);
      this.#events?.up();
    } catch (error) {
      this.#events?.error(error);
      if (this.#subscriber.status === 'ready') this.#subscriber.disconnect(true);
    }
  }
}
