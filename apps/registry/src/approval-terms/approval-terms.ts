import type { ApprovalTerms } from '@switchyard/contracts';
import type { ApprovalSettings } from './approval-terms.schemas.js';

/** As rows and contracts have them. */
export function toApprovalTerms(settings: ApprovalSettings): ApprovalTerms {
  return {
    approverRoles: settings.approver_roles,
    approverUserIds: settings.approver_user_ids,
    selfApproval: settings.self_approval,
    expiresMs: settings.expires_s * 1_000,
  };
}

/** As the API shows them. */
export function toApprovalSettings(terms: ApprovalTerms): ApprovalSettings {
  return {
    approver_roles: terms.approverRoles,
    approver_user_ids: terms.approverUserIds,
    self_approval: terms.selfApproval,
    expires_s: terms.expiresMs / 1_000,
  };
}
