import { Injectable } from '@nestjs/common';
import { queues } from '@switchyard/contracts';
import type { AuditEvent, ErrorCode } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { FastifyRequest } from 'fastify';

const windowMs = 10_000;
const mostInWindow = 20;

/** Who it was, where that is known: a user without the right. */
type Known = { orgId: string; userId: string };

/**
 * Hands refused callers to the audit log. Nobody waits for it, and of a flood the first few are told and the rest counted:
 * whoever guesses must not fill the log.
 */
@Injectable()
export class RefusalsService {
  private windowEndsAt = 0;
  private inWindow = 0;
  private untold = 0;

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  note(code: ErrorCode, { method, routeOptions }: FastifyRequest, known?: Known): void {
    if (!this.isWithinRate()) return;
    const details = {
      face: 'admin_api',
      route: `${method} ${routeOptions.url ?? 'none'}`,
      ...(this.untold > 0 && { untold: this.untold }),
    };
    this.untold = 0;
    this.queue
      .enqueue(queues.auditRecords, { v: 1, events: [eventOf(code, details, known)] })
      .catch((err: unknown) => this.log.warn({ err }, 'a refused caller was not audited'));
  }

  private isWithinRate(): boolean {
    const now = Date.now();
    if (now >= this.windowEndsAt) {
      this.windowEndsAt = now + windowMs;
      this.inWindow = 0;
    }
    const isWithin = ++this.inWindow <= mostInWindow;
    if (!isWithin) this.untold++;
    return isWithin;
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
