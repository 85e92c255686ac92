import pg from 'pg';
import { reconnectDelayMs } from '../timing.js';

type Listener = {
  notified?(channel: string, payload: string): void;
  up?(): void;
  down?(): void;
  error?(error: unknown): void;
};

/**
 * The one connection of this process that LISTENs, for the bus and for the wake-ups of every queue. It is made anew
 * when it breaks, and listens to all channels again before anybody is told that it is up.
 */
export class PostgresListener {
  readonly #config: pg.ClientConfig;
  readonly #channels = new Set<string>();
  readonly #listeners = new Set<Listener>();
  #client: pg.Client | undefined;
  #retry: NodeJS.Timeout | undefined;
  #commands: Promise<void> = Promise.resolve();
  #attempt = 0;
  #started = false;
  #closed = false;
  isUp = false;

  constructor(config: pg.ClientConfig) {
    this.#config = { ...config, keepAlive: true, keepAliveInitialDelayMillis: 10_000 };
  }

  /** Starts to connect. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#connect();
  }

  /** Returns a function that ends it. */
  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Resolves when notifications come in, or at once while the connection is down. */
  async listen(channel: string): Promise<void> {
    if (this.#channels.has(channel)) return;
    this.#channels.add(channel);
    await this.#command(`LISTEN ${pg.escapeIdentifier(channel)}`);
  }

  async unlisten(channel: string): Promise<void> {
    if (this.#channels.delete(channel)) await this.#command(`UNLISTEN ${pg.escapeIdentifier(channel)}`);
  }

  /** Drops the connection; a new one is made. */
  reset(): void {
    if (this.#client) this.#lost(this.#client);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const client = this.#client;
    this.#client = undefined;
    this.isUp = false;
    await client?.end().catch(() => undefined);
  }

  /** One after the other: `pg` will not queue statements on a connection for much longer. */
  #command(sql: string): Promise<void> {
    this.#commands = this.#commands.then(async () => {
      const client = this.#client;
      if (!client || !this.isUp) return;
      // A failure is a lost connection, and the next one listens to all channels.
      await client.query(sql).catch(() => this.#lost(client));
    });
    return this.#commands;
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(this.#config);
    this.#client = client;
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client));
    client.on('notification', ({ channel, payload }) => this.#tell('notified', channel, payload ?? ''));
    try {
      await client.connect();
      await this.#listenToAll(client);
      if (this.#client !== client) return;
      this.#attempt = 0;
      this.isUp = true;
      this.#tell('up');
    } catch (error) {
      this.#lost(client, error);
    }
  }

  /** Also to what is asked for while this runs. */
  async #listenToAll(client: pg.Client): Promise<void> {
    const done = new Set<string>();
    let missing = [...this.#channels];
    while (missing.length > 0) {
      await client.query(missing.map((channel) => `LISTEN ${pg.escapeIdentifier(channel)}`).join(';'));
      for (const channel of missing) done.add(channel);
      missing = [...this.#channels].filter((channel) => !done.has(channel));
    }
  }

  #lost(client: pg.Client, error?: unknown): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    const wasUp = this.isUp;
    this.isUp = false;
    client.end().catch(() => undefined);
    if (this.#closed) return;
    if (error !== undefined) this.#tell('error', error);
    if (wasUp) this.#tell('down');
    this.#retry = setTimeout(() => void this.#connect(), reconnectDelayMs(this.#attempt++));
  }

  #tell<K extends keyof Listener>(event: K, ...args: Parameters<NonNullable<Listener[K]>>): void {
    for (const listener of [...this.#listeners])
      (listener[event] as ((...given: unknown[]) => void) | undefined)?.(...args);
  }
}
