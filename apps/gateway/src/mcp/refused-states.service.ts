import { Injectable } from '@nestjs/common';
import { type AuditEvent, queues } from '@switchyard/contracts';
import { RefusalThrottle } from '@switchyard/identity';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { CallFrame } from './upstream-call.js';

/** Hands a `requestState` that was not the client's to send to the audit log. Nobody waits for it. */
@Injectable()
export class RefusedStates {
  readonly #throttle = new RefusalThrottle();

  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  note({ caller }: Pick<CallFrame, 'caller'>, why: string): void {
    const { orgId, userId, virtualKeyId } = caller;
    const untold = this.#throttle.next(orgId);
    if (untold === null) return;
    const details = { face: caller.runKind, why: `requestState: ${why}`, ...(untold > 0 && { untold }) };
    const event: AuditEvent = {
      orgId,
      at: Date.now(),
      action: 'caller_refused',
      result: 'refused',
      actor: actorOf(userId, virtualKeyId),
      ...{ userId, integrationId: null, callId: null, authPath: null },
      code: 'invalid_request',
      details,
    };
    this.queue
      .enqueue(queues.auditRecords, { v: 1, events: [event] })
      .catch((err: unknown) => this.log.warn({ err }, 'a refused requestState was not audited'));
  }
}

function actorOf(userId: string | null, virtualKeyId: string | null): AuditEvent['actor'] {
  if (virtualKeyId !== null) return { kind: 'virtual_key', id: virtualKeyId };
  return userId === null ? { kind: 'anonymous', id: null } : { kind: 'user', id: userId };
}
