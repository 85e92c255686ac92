import { isAttended, type IntegrationRecord } from '@switchyard/access';
import type { ToolCall } from '@switchyard/contracts';

/**
 * Whose credential a call of the integration will run with, as far as a worker can tell before it asks: leases are
 * kept by it, so that two callers share one only where the broker would give both the same. It names the identity by every
 * fact that decides it (CVE-2026-19202 and its kin are caches that left one out).
 */
export function leaseKey(integration: IntegrationRecord, call: ToolCall | null): string {
  return `${integration.id}:${integration.version}:${identityOf(integration, call)}`;
}

function identityOf({ authMode, userHeaderNames }: IntegrationRecord, call: ToolCall | null): string {
  switch (authMode) {
    case 'none':
    case 'client_credentials':
      return 'integration';
    case 'headers':
      return userHeaderNames.length > 0 ? userOf(call) : 'integration';
    case 'authorization_code':
      return userOf(call);
    case 'token_exchange':
      return call?.subjectTokenSha256 ? `subject:${call.subjectTokenSha256}` : 'discovery';
  }
}

function userOf(call: ToolCall | null): string {
  if (!call) return 'discovery';
  return isAttended(call.caller) ? `user:${call.caller.orgId}:${call.caller.userId}` : 'service_user';
}
