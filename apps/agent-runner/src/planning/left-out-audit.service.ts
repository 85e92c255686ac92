import { Injectable } from '@nestjs/common';
import { isUnattendedRun } from '@switchyard/access';
import { type AuditEvent, queues } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { Log } from '@switchyard/service-kit';
import type { Run, RunPlan } from '../runs/run-data.js';

const mostNamed = 50;

/** Tells the audit log which tools a run goes without because nobody is there to approve them. */
@Injectable()
export class LeftOutAudit {
  constructor(
    private readonly queue: QueueClient,
    private readonly log: Log,
  ) {}

  note({ id, orgId, agentId, caller }: Run, { leftOut }: RunPlan): void {
    const needy = leftOut.filter(({ reason }) => reason === 'approval_required').map(({ name }) => name);
    if (needy.length === 0 || !isUnattendedRun(caller)) return;
    const event: AuditEvent = {
      ...{ orgId, at: Date.now(), action: 'tools_left_out', result: 'ok' },
      code: 'approval_required',
      actor: { kind: 'service', id: agentId },
      ...{ userId: null, integrationId: null, callId: null, authPath: null },
      details: { run: id, agent: agentId, run_kind: caller.runKind, tools: needy.slice(0, mostNamed) },
    };
    this.queue
      .enqueue(queues.auditRecords, { v: 1, events: [event] })
      .catch((err: unknown) => this.log.warn({ err, runId: id }, 'tools left out of a run were not audited'));
  }
}
