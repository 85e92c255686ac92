import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { PgNotification, PgPool, PgPoolClient, PgQueryResult } from 'bullmq';
import type pg from 'pg';
import { asConnectionRefused, isConnectionFailure } from './postgres-errors.js';

const jobsChannel = 'bullmq_jobs';

type NotificationHandler = (message: PgNotification) => void;

/**
 * What BullMQ takes for a `pg.Pool`, one per queue object, over the one pool of this process.
 *
 * BullMQ checks a connection for LISTEN out of the pool for every worker, for as long as it lives: a process that
 * consumes fifty stdio queues would hold fifty idle connections, each of them woken by every job of every queue.
 * Here that connection is a stand-in, and the process's one listener says `wake`.
 */
export class BullmqPool implements PgPool {
  readonly #pool: pg.Pool;
  readonly #queue: string;
  readonly #waiting = new Set<NotificationHandler>();
  #closed = false;

  constructor(pool: pg.Pool, queue: string) {
    this.#pool = pool;
    this.#queue = queue;
  }

  /** Ends the wait of this queue's worker, if it waits: there may be a job. */
  wake(): void {
    for (const handler of [...this.#waiting]) handler({ channel: jobsChannel, payload: this.#queue });
  }

  // BullMQ's statements are few and constant, so they are prepared: one parse per connection, not one per job.
  async query<R>(text: string, params: readonly unknown[] = []): Promise<PgQueryResult<R>> {
    try {
      const { rows, rowCount } = await this.#pool.query({ name: nameOf(text), text, values: [...params] });
      return { rows: rows as R[], rowCount };
    } catch (error) {
      throw isConnectionFailure(error) ? asConnectionRefused(error) : error;
    }
  }

  async connect(): Promise<PgPoolClient> {
    const client: PgPoolClient = {
      query: <R>(text: string, params?: readonly unknown[]) => this.#clientQuery<R>(text, params),
      on: (event: string, handler: never) => {
        if (event === 'notification') this.#waiting.add(handler);
        return client;
      },
      removeListener: (_event, handler) => {
        this.#waiting.delete(handler);
        return client;
      },
      removeAllListeners: () => {
        this.#waiting.clear();
        return client;
      },
      release: () => undefined,
    };
    return client;
  }

  on(): this {
    return this;
  }

  removeAllListeners(): this {
    return this;
  }

  /** The pool belongs to the store; this ends the stand-in alone. */
  async end(): Promise<void> {
    this.#closed = true;
  }

  /**
   * On its connection BullMQ asks to listen and sets a name (nothing to do), and once checks the schema's version.
   * It remembers a failure of that check for ever, so the check waits until the store can be reached.
   */
  async #clientQuery<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
    if (/^\s*(--.*\n\s*)*LISTEN /.test(text) || text.includes('application_name')) return { rows: [] };
    for (;;) {
      try {
        return await this.query<R>(text, params);
      } catch (error) {
        if (this.#closed || !isConnectionFailure(error)) throw error;
        await delay(500);
      }
    }
  }
}

const names = new Map<string, string>();

function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `q${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
  names.set(text, name);
  return name;
}
