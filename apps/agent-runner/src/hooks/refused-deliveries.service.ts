import { Injectable } from '@nestjs/common';
import { type AuditEvent, queues } from '@switchyard/contracts';
import { RefusalThrottle } from '@switchyard/identity';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { RefusalReason } from '@switchyard/webhooks';
import type { Webhook } from './webhooks.repository.js';

/** Tells the audit log why deliveries were not believed. Their senders are told nothing. */
@Injectable()
export class RefusedDeliveries {
  readonly #throttle = new RefusalThrottle();

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  note({ id, orgId, agentId, name }: Webhook, reason: RefusalReason): void {
    const untold = this.#throttle.next(id);
    if (untold === null) return;
    const details = { webhook: id, name, agent: agentId, reason, ...(untold > 0 && { untold }) };
    const event: AuditEvent = {
      ...{ orgId, at: Date.now(), action: 'webhook_refused', result: 'refused' },
      code: 'unauthenticated',
      actor: { kind: 'anonymous', id: null },
      ...{ userId: null, integrationId: null, callId: null, authPath: null },
      details,
    };
    this.queue
      .enqueue(queues.auditRecords, { v: 1, events: [event] })
      .catch((err: unknown) => this.log.warn({ err }, 'a refused delivery was not audited'));
  }
}
