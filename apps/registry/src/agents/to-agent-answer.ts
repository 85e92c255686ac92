import { toApprovalSettings } from '../approval-terms/approval-terms.js';
import { storedMark } from '../vault/secret-value.js';
import type { AgentEntity } from './agent.entity.js';
import type { AgentAnswerBody } from './agent.schemas.js';

/** An agent as admins see it: that it has a key, never the key. */
export function toAgentAnswer(row: AgentEntity): AgentAnswerBody {
  const { everyone, roles, userIds } = row.chatAccess;
  return {
    id: row.id,
    organization_id: row.organizationId,
    slug: row.slug,
    name: row.name,
    description: row.description,
    instructions: row.instructions,
    model: row.model,
    model_key: row.hasModelKey ? storedMark : null,
    grants: row.grants,
    default_policy: row.execution.default,
    tool_policies: row.execution.tools,
    approval: toApprovalSettings(row.approval),
    chat_access: { everyone, roles, user_ids: userIds },
    max_depth: row.maxDepth,
    tool_deadline_ms: row.toolDeadlineMs,
    mixed_turn: row.mixedTurn,
    unattended_approval: row.unattendedApproval,
    agentic_mode: row.agenticMode,
    is_active: row.isActive,
    version: row.version,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
