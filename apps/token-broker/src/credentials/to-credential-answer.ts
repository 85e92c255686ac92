import type { Credential } from './credential.js';

/** A credential as its user and admins see it. Never a token. */
export function toCredentialAnswer(credential: Credential) {
  return {
    id: credential.id,
    integration_id: credential.integrationId,
    user_id: credential.userId,
    kind: credential.kind,
    issuer: credential.issuer,
    scopes: credential.grantedScopes,
    needed_scopes: credential.neededScopes,
    state: credential.state,
    reason: credential.stateReason,
    since: credential.stateSince.toISOString(),
    expires_at: time(credential.expiresAt),
    renewable: credential.hasRefreshToken,
    consent_granted_at: time(credential.consentGrantedAt),
    consent_granted_by: credential.consentGrantedBy,
    last_used_at: time(credential.lastUsedAt),
    last_refreshed_at: time(credential.lastRefreshedAt),
    created_at: credential.createdAt.toISOString(),
  };
}

function time(at: Date | null): string | null {
  return at?.toISOString() ?? null;
}
