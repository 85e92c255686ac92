import { mayDecide } from '@switchyard/access';
import type { AgentDefinition } from '@switchyard/contracts';
import type { ApprovalPart, ReauthPart } from '@switchyard/models';
import type { PlannedTool } from '../../runs/run-data.js';
import type { WatchedCall } from '../../watch/watched-runs.repository.js';

type Asked = {
  readonly call: WatchedCall;
  readonly toolCallId: string;
  readonly tool: PlannedTool | undefined;
  readonly agent: AgentDefinition | null;
};

/** What a person needs to see of a call before they decide about it. */
export function approvalPart(
  { call, toolCallId, tool, agent }: Asked,
  state: ApprovalPart['state'],
): ApprovalPart {
  const { callId, outwardName, asked } = call;
  return {
    state,
    approval_id: callId,
    tool_call_id: toolCallId,
    tool: outwardName ?? asked.name,
    integration: tool?.integrationSlug ?? '',
    description: tool?.wire.description ?? null,
    arguments: asked.arguments,
    risk: riskOf(tool),
    expires_at: expiryOf(call, agent).toISOString(),
    may_decide: state === 'waiting' && mayAsker(call),
    approve_url: `/api/approvals/${callId}/approve`,
    deny_url: `/api/approvals/${callId}/deny`,
  };
}

/** The ledger may have forgotten a call that was decided long ago. */
function expiryOf({ createdAt, approval }: WatchedCall, agent: AgentDefinition | null): Date {
  if (approval) return new Date(approval.expiresAt);
  return new Date(createdAt.getTime() + (agent?.approval.expiresMs ?? 0));
}

/** A chat is seen by nobody but the user who asked; whatever else they are counts for nothing here. */
function mayAsker({ approval }: WatchedCall): boolean {
  const userId = approval?.askedBy;
  return approval && userId
    ? mayDecide({ kind: 'user', userId, roles: [], isAdmin: false }, approval)
    : false;
}

/** What the broker said when the call was refused. */
export function reauthPart(
  { call, toolCallId, tool }: Omit<Asked, 'agent'>,
  state: ReauthPart['state'],
): ReauthPart {
  const details = detailsOf(call.outcome);
  const url = details['reauth_url'];
  return {
    state,
    call_id: call.callId,
    tool_call_id: toolCallId,
    integration: tool?.integrationSlug ?? String(details['integration'] ?? ''),
    reauth_url: typeof url === 'string' ? url : null,
  };
}

/** The defaults of MCP: a server that says nothing of its tool may destroy, and reach into the world. */
function riskOf(tool: PlannedTool | undefined): ApprovalPart['risk'] {
  const hints = tool?.wire.annotations ?? {};
  const isReadOnly = hints.readOnlyHint === true;
  return {
    read_only: isReadOnly,
    destructive: !isReadOnly && hints.destructiveHint !== false,
    idempotent: isReadOnly || hints.idempotentHint === true,
    open_world: hints['openWorldHint'] !== false,
  };
}

function detailsOf(outcome: WatchedCall['outcome']): Record<string, unknown> {
  const error = outcome?.['error'] as { details?: Record<string, unknown> } | undefined;
  return error?.details ?? {};
}
