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

/** Where an approver sees it and decides. Without an origin of our own to name, the path alone. */
export function approveUrl(origin: string | undefined, callId: string): string {
  return `${origin ?? ''}/api/approvals/${callId}`;
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
      approve_url: approveUrl(origin, callId),
      expires_at: expiresAt.toISOString(),
      tool: outwardName,
      ...{ integration: integration.slug, integration_id: integration.id },
    },
  }).toInfo();
}
