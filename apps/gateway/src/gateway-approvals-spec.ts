import {
  type ApprovalDecision,
  queues,
  toolCallQueue,
  type ToolCallJob,
  topics,
} from '@switchyard/contracts';
import { completed, textResult } from './gateway-client-spec.js';
import type { GatewayHarness } from './gateway-harness-spec.js';

/** The columns of an integration that has the platform ask. */
export function asksFirst(terms: object = {}): Record<string, unknown> {
  const usual = { approverRoles: [], approverUserIds: [], selfApproval: true, expiresMs: 600_000 };
  return { approval_on_gateway: 'platform', approval: JSON.stringify({ ...usual, ...terms }) };
}

/**
 * Stands for dispatch: decides by the same rows, and runs what was approved. What dispatch itself checks and refuses is tried
 * out there.
 */
export class DispatchOfApprovals {
  readonly ran: ToolCallJob[] = [];
  readonly decisions: ApprovalDecision[] = [];

  constructor(private readonly harness: GatewayHarness) {
    harness.work((job) => this.#run(job));
    harness.queue.consume(queues.approvalDecisions, (decision) => this.#take(decision), { concurrency: 4 });
  }

  timesRun(id: string): number {
    return this.ran.filter(({ arguments: args }) => args['id'] === id).length;
  }

  async decide(callId: string, isApproved: boolean, reason: string | null = null): Promise<void> {
    const { sql, queue } = this.harness;
    const [state, status] = isApproved ? ['approved', 'queued'] : ['denied', 'denied'];
    const [row] = await sql.query<Pick<ToolCallJob, 'sealed' | 'arguments'>>(
      `UPDATE dispatch.tool_calls SET status = $2, ended_at = CASE WHEN $2 = 'denied' THEN now() END,
         error_code = CASE WHEN $2 = 'denied' THEN 'approval_denied' END, error_message = $3
       WHERE call_id = $1 AND status = 'awaiting_approval' RETURNING sealed, arguments`,
      [callId, status, isApproved ? null : `Denied. Reason: ${reason}`],
    );
    await sql.query(`UPDATE dispatch.approvals SET state = $2, decided_at = now() WHERE call_id = $1`, [
      callId,
      state,
    ]);
    if (!row || !isApproved) return;
    const job = { v: 1, ...row, progress: false, round: 0, attempts: 0 } as const;
    await queue.enqueue(toolCallQueue(row.sealed.call.lane), job, { jobId: callId });
  }

  async #take(decision: ApprovalDecision) {
    this.decisions.push(decision);
    await this.decide(decision.callId, decision.approved, decision.reason);
    return decision.approved
      ? ({ status: 'decided', state: 'approved', callState: 'queued' } as const)
      : ({ status: 'decided', state: 'denied', callState: 'denied' } as const);
  }

  async #run(job: ToolCallJob) {
    this.ran.push(job);
    const { callId } = job.sealed.call;
    const outcome = completed(job, textResult(`ran ${String(job.arguments['id'])}`));
    await this.harness.sql.query(
      `UPDATE dispatch.tool_calls SET status = 'completed', result = $2, ended_at = now() WHERE call_id = $1`,
      [callId, JSON.stringify(outcome.status === 'completed' && outcome.result)],
    );
    await this.harness.queue.publish(topics.toolCallEnded, { callId });
    return outcome;
  }
}
