import { type ErrorInfo, PlatformError } from '@switchyard/contracts';
import type { CallTarget } from './prepared-call.js';

/** A call that waits for a person. Its approval has its id. */
export type OpenApproval = {
  readonly callId: string;
  readonly expiresAt: Date;
  readonly argumentsSha256: string;
  /** Whether the user who calls may decide themselves. */
  readonly isOwn: boolean;
};

/** Where an approver sees it (GET) and decides (POST). Without an origin of our own to name, the paths alone. */
export function approvalUrls(origin: string | undefined, callId: string) {
  const url = `${origin ?? ''}/api/approvals/${callId}`;
  return { approval_url: url, approve_url: `${url}/approve`, deny_url: `${url}/deny` };
}

/** What a caller is told whose call waits for a person. */
export function approvalRequired(
  { callId, expiresAt }: Pick<OpenApproval, 'callId' | 'expiresAt'>,
  { integration, outwardName }: CallTarget,
  origin: string | undefined,
): ErrorInfo {
  return new PlatformError('approval_required', {
    details: {
      approval_id: callId,
      ...approvalUrls(origin, callId),
      expires_at: expiresAt.toISOString(),
      tool: outwardName,
      ...{ integration: integration.slug, integration_id: integration.id },
    },
  }).toInfo();
}
