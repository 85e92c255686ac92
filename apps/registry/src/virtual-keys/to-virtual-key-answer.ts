import type { VirtualKeyEntity } from './virtual-key.entity.js';
import type { VirtualKeyAnswerBody } from './virtual-key.schemas.js';

/** A virtual key as admins see it: neither the key nor its hash. */
export function toVirtualKeyAnswer(row: VirtualKeyEntity): VirtualKeyAnswerBody {
  return {
    id: row.id,
    organization_id: row.organizationId,
    name: row.name,
    mcp_configs: row.mcpConfigs,
    status: statusOf(row),
    user_id: row.userId,
    rate_limit: row.rateLimit,
    tool_mode: row.toolMode,
    expires_at: row.expiresAt?.toISOString() ?? null,
    revoked_at: row.revokedAt?.toISOString() ?? null,
    created_at: row.createdAt.toISOString(),
  };
}

function statusOf({ revokedAt, expiresAt }: VirtualKeyEntity): 'active' | 'expired' | 'revoked' {
  if (revokedAt) return 'revoked';
  return expiresAt && expiresAt.getTime() <= Date.now() ? 'expired' : 'active';
}
