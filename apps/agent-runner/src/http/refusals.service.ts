import { Injectable } from '@nestjs/common';
import { type AuditEvent, type ErrorCode, queues } from '@switchyard/contracts';
import { RefusalThrottle } from '@switchyard/identity';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';

/** Hands refused callers to the audit log. Nobody waits for it. */
@Injectable()
export class RefusalsService {
  readonly #throttle = new RefusalThrottle();

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  /** `orgId`: the organization that was meant, where that can be told. */
  note(code: ErrorCode, { method, routeOptions }: FastifyRequest, orgId: string | null): void {
    const untold = this.#throttle.next(orgId);
    if (untold === null) return;
    const route = `${method} ${routeOptions.url ?? 'none'}`;
    const details = { face: 'runs_api', route, ...(untold > 0 && { untold }) };
    this.queue
      .enqueue(queues.auditRecords, { v: 1, events: [eventOf(code, details, orgId)] })
      .catch((err: unknown) => this.log.warn({ err }, 'a refused caller was not audited'));
  }
}

function eventOf(code: ErrorCode, details: AuditEvent['details'], orgId: string | null): AuditEvent {
  return {
    orgId,
    at: Date.now(),
    action: 'caller_refused',
    result: 'refused',
    actor: { kind: 'anonymous', id: null },
    ...{ userId: null, integrationId: null, callId: null, authPath: null },
    code,
    details,
  };
}
