import { Injectable } from '@nestjs/common';
import { type AuditEvent, type ErrorCode, queues } from '@switchyard/contracts';
import { RefusalThrottle } from '@switchyard/identity';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';

/** Hands refused tokens to the audit log. Nobody waits for it. */
@Injectable()
export class RefusedCallers {
  readonly #throttle = new RefusalThrottle();

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  /** `orgId`: whose token it was meant to be, where that can be told. */
  note(code: ErrorCode, face: string, orgId: string | null): void {
    const untold = this.#throttle.next(orgId);
    if (untold === null) return;
    const details = { face, ...(untold > 0 && { untold }) };
    this.#send({ ...refusal, orgId, at: Date.now(), code, details });
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
