import type { Snapshot } from '@switchyard/access';
import type { Approval } from './approval.js';

/** An approval as the API shows it. Holds no arguments: `withArguments` adds them. */
export function approvalAnswer(approval: Approval, snapshot: Snapshot) {
  const { integrationId } = approval;
  const agent = snapshot.agents.get(approval.agentId ?? '');
  return {
    id: approval.callId,
    state: approval.state,
    tool: approval.outwardName,
    tool_name: approval.tool,
    integration: {
      id: integrationId,
      slug: approval.integrationSlug,
      name: snapshot.integrations.get(integrationId)?.name ?? null,
    },
    arguments_sha256: approval.argumentsSha256,
    ...claimsOf(approval, snapshot),
    asked_by: { user_id: approval.askedBy, virtual_key_id: approval.askedByKey },
    agent: approval.agentId === null ? null : { id: approval.agentId, name: agent?.name ?? null },
    run_id: approval.runId,
    run_kind: approval.runKind,
    created_at: approval.createdAt.toISOString(),
    expires_at: approval.expiresAt.toISOString(),
    decided_at: approval.decidedAt?.toISOString() ?? null,
    decided_by: approval.decidedByKind && { kind: approval.decidedByKind, user_id: approval.decidedBy },
    reason: approval.reason,
    call: { id: approval.callId, status: approval.callState },
  };
}

/** What the vendor says of the tool, as the catalog has it now; null where the tool is gone. */
function claimsOf({ integrationId, tool }: Approval, snapshot: Snapshot) {
  const wire = snapshot.tools.get(integrationId)?.find(({ name }) => name === tool)?.wire;
  if (!wire) return { description: null, annotations: null, risk: null };
  const { annotations = {} } = wire;
  const isReadOnly = annotations.readOnlyHint === true;
  return {
    description: typeof wire['description'] === 'string' ? wire['description'] : null,
    annotations,
    // Absent hints mean the worse, as MCP says.
    risk: {
      destructive: !isReadOnly && annotations.destructiveHint !== false,
      read_only: isReadOnly,
      idempotent: annotations.idempotentHint === true,
      open_world: annotations.openWorldHint !== false,
      source: 'claims of the vendor',
    },
  };
}
