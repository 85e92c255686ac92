import { type ChatUser, type PendingApproval } from '../harness/chat-user.js';
import type { Turn } from './scripts.js';

export type Approval = {
  readonly id: string;
  readonly state: string;
  readonly arguments_sha256: string;
  readonly may_decide: boolean;
  readonly decided_by: { readonly kind: string; readonly user_id: string } | null;
  readonly call: { readonly status: string };
};
/** A call that waits for a person, in a run that a chat has begun. */
export type WaitingCall = { readonly effect: string; readonly runId: string; readonly approvalId: string };

/** Asked for `effect <id>`, the model calls the tool with that id, and then says what came of it. */
export function effectTurns(tool: string): Turn[] {
  return [
    {
      ...{ times: 'any', when: { last_user_matches: '^effect (\\S+)$', step: 0 } },
      answer: { tool_calls: [{ name: tool, arguments: { id: '{{1}}' } }] },
    },
    {
      ...{ times: 'any', when: { last_user_matches: '^effect (\\S+)$', step: 1 } },
      answer: { text: 'Answer: {{last_result}}' },
    },
  ];
}

/** A run whose call waits. */
export async function beginWaiting(user: ChatUser, agent: string, effect: string): Promise<WaitingCall> {
  const { status, run_id: runId, pending } = await user.say(agent, `effect ${effect}`);
  const [approval] = pending as [PendingApproval?];
  if (status !== 'waiting_approval' || !approval) throw new Error(`${effect} does not wait: ${status}`);
  return { effect, runId, approvalId: approval.approval_id };
}

export function approve(user: Pick<ChatUser, 'send'>, { approvalId }: WaitingCall, body: object = {}) {
  return user.send<Approval & { code?: string }>('POST', `/api/approvals/${approvalId}/approve`, body);
}

export function deny(user: Pick<ChatUser, 'send'>, { approvalId }: WaitingCall, reason = 'No.') {
  return user.send<Approval & { code?: string }>('POST', `/api/approvals/${approvalId}/deny`, { reason });
}

export function lookAt(user: Pick<ChatUser, 'send'>, { approvalId }: WaitingCall) {
  return user.send<Approval & { code?: string }>('GET', `/api/approvals/${approvalId}`);
}
