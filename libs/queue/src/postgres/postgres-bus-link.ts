import { createHash, randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { BusLink, LinkEvents } from '../bus/bus-link.js';
import type { PostgresListener } from './postgres-listener.js';

/** PostgreSQL refuses a notification of 8000 bytes or more. */
const inlineBytes = 7_500;
const cleanEveryMs = 60_000;

type Outgoing = {
  channel: string;
  payload: string;
  body: string | null;
  done(): void;
  failed(error: unknown): void;
};

/**
 * The bus over LISTEN/NOTIFY. A body that is too large for a notification goes into a table and its id into the
 * notification. Messages that are published while one statement runs leave together with the next: a commit with a
 * notification takes a lock of the whole database, so few commits with many notifications are the faster way.
 */
export class PostgresBusLink implements BusLink {
  readonly #listener: PostgresListener;
  readonly #pool: pg.Pool;
  readonly #prefix: string;
  readonly #names = new Map<string, string>();
  #outgoing: Outgoing[] = [];
  #sending = false;
  #fetching: Promise<void> | undefined;
  #cleanAt = 0;
  #events: LinkEvents | undefined;

  /** `pool` is the bus's own: answers must not wait behind the queues' statements. */
  constructor(options: { listener: PostgresListener; pool: pg.Pool; prefix: string }) {
    this.#listener = options.listener;
    this.#pool = options.pool;
    this.#prefix = options.prefix;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    this.#listener.add({
      notified: (channel, payload) => this.#notified(channel, payload),
      up: () => events.up(),
      down: () => events.down(),
      error: (error) => events.error(error),
    });
    this.#listener.start();
  }

  async listen(channel: string): Promise<void> {
    const id = this.#idOf(channel);
    this.#names.set(id, channel);
    await this.#listener.listen(id);
  }

  async unlisten(channel: string): Promise<void> {
    const id = this.#idOf(channel);
    this.#names.delete(id);
    await this.#listener.unlisten(id);
  }

  async send(channel: string, text: string): Promise<void> {
    const isInline = Buffer.byteLength(text) <= inlineBytes;
    const payload = isInline ? `=${text}` : `@${randomUUID()}`;
    await new Promise<void>((done, failed) => {
      this.#outgoing.push({
        channel: this.#idOf(channel),
        payload,
        body: isInline ? null : text,
        done,
        failed,
      });
      if (!this.#sending) void this.#flush();
    });
  }

  reset(): void {
    this.#listener.reset();
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** Channel names of PostgreSQL end at 63 bytes. */
  #idOf(channel: string): string {
    return `sy_${createHash('sha256').update(`${this.#prefix}:${channel}`).digest('hex').slice(0, 32)}`;
  }

  async #flush(): Promise<void> {
    this.#sending = true;
    while (this.#outgoing.length > 0) {
      const batch = this.#outgoing.splice(0, 500);
      try {
        await this.#sendBatch(batch);
        for (const message of batch) message.done();
      } catch (error) {
        for (const message of batch) message.failed(error);
      }
    }
    this.#sending = false;
  }

  async #sendBatch(batch: Outgoing[]): Promise<void> {
    const columns = [batch.map((m) => m.channel), batch.map((m) => m.payload), batch.map((m) => m.body)];
    if (batch.some((message) => message.body !== null)) {
      await this.#pool.query({ name: 'bus-send-large', text: sendLarge, values: columns });
      this.#cleanSometimes();
    } else {
      await this.#pool.query({ name: 'bus-send', text: send, values: columns.slice(0, 2) });
    }
  }

  #notified(id: string, payload: string): void {
    const channel = this.#names.get(id);
    if (channel === undefined) return;
    const isInline = payload.startsWith('=');
    if (isInline && !this.#fetching) return this.#events?.frame(channel, payload.slice(1));
    // Later messages wait for a body that is being fetched, so that an answer never overtakes an event.
    const turn = (this.#fetching ?? Promise.resolve()).then(() => this.#bring(channel, payload));
    this.#fetching = turn;
    void turn.finally(() => this.#fetching === turn && (this.#fetching = undefined));
  }

  async #bring(channel: string, payload: string): Promise<void> {
    try {
      const text = payload.startsWith('=') ? payload.slice(1) : await this.#fetchBody(payload.slice(1));
      this.#events?.frame(channel, text);
    } catch (error) {
      this.#events?.error(error);
    }
  }

  async #fetchBody(id: string): Promise<string> {
    const { rows } = await this.#pool.query<{ body: string }>({
      name: 'bus-fetch',
      text: fetchBody,
      values: [id],
    });
    if (!rows[0]) throw new Error('the body of a bus message is gone');
    return rows[0].body;
  }

  /** Bodies are read within moments; whoever sends one also removes what is left over. */
  #cleanSometimes(): void {
    if (Date.now() < this.#cleanAt) return;
    this.#cleanAt = Date.now() + cleanEveryMs;
    this.#pool.query(clean).catch((error: unknown) => this.#events?.error(error));
  }
}

const send = `SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS t (channel, payload)`;

const sendLarge = `
  WITH outgoing AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS t (channel, payload, body)
  ), kept AS (
    INSERT INTO switchyard_bus.body (id, body)
    SELECT substr(payload, 2)::uuid, body FROM outgoing WHERE body IS NOT NULL
  )
  SELECT pg_notify(channel, payload) FROM outgoing`;

const fetchBody = 'SELECT body FROM switchyard_bus.body WHERE id = $1';

const clean = `DELETE FROM switchyard_bus.body WHERE sent_at < now() - interval '5 minutes'`;
