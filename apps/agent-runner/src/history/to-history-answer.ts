import { outcomeAnswer, outputAnswer } from './in-snake-case.js';
import type { ApprovalRow, CallRow, RunRow, StepRow, WholeRunRow } from './history.repository.js';

/** A run as lists show it. */
export function toRunAnswer(run: RunRow) {
  const { kind, triggerId } = run;
  return {
    id: run.id,
    agent: { id: run.agentId, name: run.agentName },
    kind,
    state: run.state,
    user_id: run.userId,
    conversation_id: run.conversationId,
    schedule_id: kind === 'schedule' ? triggerId : null,
    webhook_id: kind === 'webhook' ? triggerId : null,
    scheduled_for: iso(run.scheduledFor),
    waits_for_earlier_run: run.isHeld,
    iterations: run.iteration,
    usage: { input_tokens: run.inputTokens, output_tokens: run.outputTokens },
    error: run.error,
    created_at: run.createdAt.toISOString(),
    started_at: iso(run.startedAt),
    ended_at: iso(run.endedAt),
  };
}

/** What the run was asked, what it could use and what not, and what came of it. */
export function toRunDetails(run: WholeRunRow) {
  const { input, plan, output } = run;
  const tools = plan?.tools.map(({ outwardName: name, integrationSlug: integration, mode }) => ({
    ...{ name, integration, policy: mode },
  }));
  return {
    ...toRunAnswer(run),
    input,
    plan: plan && { tools, left_out: plan.leftOut },
    output: outputAnswer(output),
  };
}

export function toStepAnswer(step: StepRow) {
  return {
    run_id: step.runId,
    position: step.position,
    kind: step.kind,
    request_id: step.requestId,
    text: step.answer?.text ?? null,
    finish_reason: step.answer?.finishReason ?? null,
    calls_asked: step.answer?.toolCalls.length ?? 0,
    usage: { input_tokens: step.inputTokens, output_tokens: step.outputTokens },
    error: step.error,
    started_at: step.startedAt.toISOString(),
    ended_at: step.endedAt.toISOString(),
  };
}

export function toCallAnswer(call: CallRow) {
  return {
    run_id: call.runId,
    request_id: call.requestId,
    call_id: call.callId,
    step: call.step,
    position: call.position,
    attempt: call.attempt,
    tool: call.outwardName ?? call.asked.name,
    arguments: call.asked.arguments,
    state: call.state,
    status: call.status ?? call.outcome?.['status'] ?? null,
    auth_path: call.authPath,
    attempts: call.attempts,
    outcome: outcomeAnswer(call.outcome),
    accepted_at: iso(call.acceptedAt),
    sent_at: iso(call.sentAt),
    ended_at: iso(call.endedAt),
  };
}

export function toApprovalAnswer(approval: ApprovalRow) {
  return {
    id: approval.callId,
    run_id: approval.runId,
    call_id: approval.callId,
    state: approval.state,
    tool: approval.outwardName,
    arguments_sha256: approval.argumentsSha256,
    asked_by: approval.askedBy,
    decided_by: approval.decidedByKind && { kind: approval.decidedByKind, user_id: approval.decidedBy },
    decided_at: iso(approval.decidedAt),
    reason: approval.reason,
    created_at: approval.createdAt.toISOString(),
    expires_at: approval.expiresAt.toISOString(),
  };
}

function iso(date: Date | null): string | null {
  return date?.toISOString() ?? null;
}
