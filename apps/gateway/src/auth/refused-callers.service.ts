import { Injectable } from '@nestjs/common';
import { type AuditEvent, type ErrorCode, queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';

const windowMs = 10_000;
const mostInWindow = 20;

/**
 * Hands refused tokens to the audit log. Nobody waits for it, and a flood of bad tokens writes a row for each of the first
 * few and one that counts the rest: whoever guesses must not fill the log.
 */
@Injectable()
export class RefusedCallers {
  #windowEndsAt = 0;
  #inWindow = 0;
  #untold = 0;

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  /** `orgId`: whose token it was meant to be, where that can be told. */
  note(code: ErrorCode, face: string, orgId: string | null): void {
    const now = Date.now();
    if (now >= this.#windowEndsAt) this.#openWindow(now);
    if (++this.#inWindow > mostInWindow) {
      this.#untold++;
      return;
    }
    const details = { face, ...(this.#untold > 0 && { untold: this.#untold }) };
    this.#untold = 0;
    this.#send({ ...refusal, orgId, at: now, code, details });
  }

  #openWindow(now: number): void {
    this.#windowEndsAt = now + windowMs;
    this.#inWindow = 0;
  }

  #send(event: AuditEvent): void {
    this.queue
      .enqueue(queues.auditRecords, { v: 1, events: [event] })
      .catch((err: unknown) => this.log.warn({ err }, 'a refused token was not audited'));
  }
}

const refusal: Omit<AuditEvent, 'orgId' | 'at' | 'code' | 'details'> = {
  ...{ action: 'caller_refused', result: 'refused' },
  actor: { kind: 'anonymous', id: null },
  ...{ userId: null, integrationId: null, callId: null, authPath: null },
};
