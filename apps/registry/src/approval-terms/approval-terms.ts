import type { ApprovalTerms } from '@switchyard/contracts';
import type { ApprovalChanges, ApprovalSettings } from './approval-terms.schemas.js';

/** The terms with what an admin names; undefined where they name nothing. */
export function changedTerms(
  terms: ApprovalTerms,
  changes: ApprovalChanges | undefined,
): ApprovalTerms | undefined {
  return (
    changes && {
      approverRoles: changes.approver_roles ?? terms.approverRoles,
      approverUserIds: changes.approver_user_ids ?? terms.approverUserIds,
      selfApproval: changes.self_approval ?? terms.selfApproval,
      expiresMs: changes.expires_s === undefined ? terms.expiresMs : changes.expires_s * 1_000,
    }
  );
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
