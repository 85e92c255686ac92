import { Injectable } from '@nestjs/common';
import { queues } from '@switchyard/contracts';
import type { AuditEvent, ErrorCode } from '@switchyard/contracts';
import { RefusalThrottle } from '@switchyard/identity';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';

/** Who it was, where that is known: a user without the right. */
type Known = { orgId: string; userId: string };

/** Hands refused callers to the audit log. Nobody waits for it. */
@Injectable()
export class RefusalsService {
  private readonly throttle = new RefusalThrottle();

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  note(code: ErrorCode, { method, routeOptions }: FastifyRequest, known?: Known): void {
    const untold = this.throttle.next(known?.orgId ?? null);
    if (untold === null) return;
    const details = {
      face: 'admin_api',
      route: `${method} ${routeOptions.url ?? 'none'}`,
      ...(untold > 0 && { untold }),
    };
    this.queue
      .enqueue(queues.auditRecords, { v: 1, events: [eventOf(code, details, known)] })
      .catch((err: unknown) => this.log.warn({ err }, 'a refused caller was not audited'));
  }
}

function eventOf(code: ErrorCode, details: AuditEvent['details'], known: Known | undefined): AuditEvent {
  return {
    orgId: known?.orgId ?? null,
    at: Date.now(),
    action: 'caller_refused',
    result: 'refused',
    actor: known ? { kind: 'user', id: known.userId } : { kind: 'anonymous', id: null },
    ...{ userId: null, integrationId: null, callId: null, authPath: null },
    code,
    details,
  };
}
