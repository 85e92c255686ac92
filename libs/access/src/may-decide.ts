import type { ApprovalTerms, Decider } from '@switchyard/contracts';

type Asked = { readonly askedBy: string | null; readonly terms: ApprovalTerms };

/**
 * Admins may, and whom the terms name, and the user who asked if the terms let them; if not, that user may not, whatever
 * else they are.
 */
export function mayDecide(decider: Decider, { askedBy, terms }: Asked): boolean {
  if (decider.kind === 'admin') return true;
  const isAsker = askedBy === decider.userId;
  if (isAsker) return terms.selfApproval;
  return (
    decider.isAdmin ||
    terms.approverUserIds.includes(decider.userId) ||
    decider.roles.some((role) => terms.approverRoles.includes(role))
  );
}
