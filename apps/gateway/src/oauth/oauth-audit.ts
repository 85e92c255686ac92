import { Injectable } from '@nestjs/common';
import { type AuditEvent, queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';

type OAuthEvent = Pick<AuditEvent, 'orgId' | 'userId' | 'action' | 'result' | 'actor' | 'code' | 'details'>;

/** Hands what users and clients of the authorization server do to the audit log. */
@Injectable()
export class OAuthAudit {
  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  /** Nobody waits for it: the queue keeps it until the broker has written it down. */
  note(event: OAuthEvent): void {
    const none = { integrationId: null, callId: null, authPath: null };
    this.queue
      .enqueue(queues.auditRecords, { v: 1, events: [{ ...event, ...none, at: Date.now() }] })
      .catch((err: unknown) =>
        this.log.warn({ err, action: event.action }, 'an OAuth event was not audited'),
      );
  }
}
