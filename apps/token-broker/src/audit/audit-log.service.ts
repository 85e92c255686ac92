import { Injectable } from '@nestjs/common';
import { type AuditEvent, PlatformError } from '@switchyard/contracts';
import { Log, Metrics, Shutdown } from '@switchyard/service-kit';
import { v7 as uuid } from 'uuid';
import { KeysService } from '../vault/keys.service.js';
import { type ChainedEvent, chainOf, emptyHead, eventHash, headSeal, storable } from './audit-chain.js';
import { AuditEventsRepository, type StoredHead } from './audit-events.repository.js';

const largestBatch = 500;
const mostWaiting = 20_000;

type Waiting = {
  readonly event: AuditEvent;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
};
type Writer = { waiting: Waiting[]; isWriting: boolean };

/** What an event is unless it says otherwise. */
export type AuditFacts = Pick<AuditEvent, 'orgId' | 'action' | 'result' | 'actor'> & Partial<AuditEvent>;

/**
 * Writes the audit log. What arrives while a batch is written goes into the next one, so that a chain's head is locked
 * once for many events and leases stay fast.
 */
@Injectable()
export class AuditLogService {
  readonly #writers = new Map<string, Writer>();
  #waiting = 0;

  constructor(
    private readonly rows: AuditEventsRepository,
    private readonly keys: KeysService,
    private readonly log: Log,
    private readonly metrics: Metrics,
    shutdown: Shutdown,
  ) {
    shutdown.onClose(() => this.#drained());
  }

  /** Resolves when the event is stored. Throws `dependency_unavailable` when it cannot be: then do not do the thing. */
  async record(facts: AuditFacts): Promise<void> {
    const event = storable({ ...nothing, at: Date.now(), ...facts });
    if (this.#waiting >= mostWaiting) throw sinkDown();
    const chain = chainOf(event);
    const writer = this.#writers.get(chain) ?? { waiting: [], isWriting: false };
    this.#writers.set(chain, writer);
    const stored = new Promise<void>((done, fail) => writer.waiting.push({ event, done, fail }));
    this.#waiting++;
    if (!writer.isWriting) void this.#write(chain, writer);
    await stored.finally(() => this.#waiting--);
  }

  /** For what is refused or over whatever the log says: a failure is only logged. */
  async note(facts: AuditFacts): Promise<void> {
    await this.record(facts).catch((err: unknown) =>
      this.log.error({ err, action: facts.action, orgId: facts.orgId }, 'an audit event was lost'),
    );
  }

  async #write(chain: string, writer: Writer): Promise<void> {
    writer.isWriting = true;
    // Whatever else asks within this turn of the event loop joins the first batch.
    await new Promise((next) => setImmediate(next));
    while (writer.waiting.length > 0) {
      const batch = writer.waiting.splice(0, largestBatch);
      try {
        await this.rows.append(chain, (head) => this.#link(chain, head, batch));
        for (const { event, done } of batch) {
          this.#count(event);
          done();
        }
      } catch (error) {
        this.log.error({ err: error, chain }, 'the audit log cannot be written');
        for (const { fail } of batch) fail(sinkDown(error));
      }
    }
    writer.isWriting = false;
    this.#writers.delete(chain);
  }

  #link(
    chain: string,
    stored: StoredHead | null,
    batch: readonly Waiting[],
  ): { events: ChainedEvent[]; head: StoredHead } {
    let head = stored ?? emptyHead;
    const events = batch.map(({ event }) => {
      const linked = { chain, sequence: head.sequence + 1, id: uuid(), event, previousHash: head.hash };
      const hash = eventHash(this.keys, linked);
      head = { sequence: linked.sequence, hash };
      return { ...linked, hash };
    });
    return { events, head: { ...head, seal: headSeal(this.keys, chain, head) } };
  }

  #count({ action, result }: AuditEvent): void {
    this.metrics
      .counter({
        name: 'switchyard_audit_events_total',
        help: 'Events written to the audit log.',
        labelNames: ['action', 'result'],
      })
      .inc({ action, result });
  }

  async #drained(): Promise<void> {
    const giveUpAt = Date.now() + 5_000;
    while (this.#waiting > 0 && Date.now() < giveUpAt) await new Promise((next) => setTimeout(next, 10));
  }
}

const nothing = {
  userId: null,
  integrationId: null,
  callId: null,
  authPath: null,
  code: null,
  details: {},
} as const;

function sinkDown(cause?: unknown): PlatformError {
  return new PlatformError('dependency_unavailable', {
    message: 'The audit log cannot be written.',
    cause,
  });
}
