import { z } from 'zod';
import { Role } from './callers.js';
import { CallStateSchema } from './call-states.js';
import { ErrorInfo } from './errors.js';

/** Whether a call runs by itself or waits for a person. */
export const ExecutionMode = z.enum(['auto_execute', 'require_approval']);
export type ExecutionMode = z.infer<typeof ExecutionMode>;

/** Who may decide about a call that waits, and for how long it waits. Admins of the organization always may. */
export const ApprovalTerms = z.strictObject({
  approverRoles: z.array(Role).max(64).default([]),
  approverUserIds: z.array(z.uuid()).max(200).default([]),
  /** Whether the user who asked may decide; false keeps them out whatever else they are. */
  selfApproval: z.boolean().default(true),
  expiresMs: z.int().min(60_000).max(2_592_000_000).default(86_400_000),
});
export type ApprovalTerms = z.output<typeof ApprovalTerms>;

/** What a call that has to wait brings to the ledger. */
export const ApprovalWish = z.strictObject({
  /** Hex SHA-256 of what decided that the call waits (`executionPolicy` of libs/access): an approval holds for nothing else. */
  policyVersion: z.string().length(64),
  /** Milliseconds that the call has once it is approved. */
  deadlineMs: z.int().positive(),
  terms: ApprovalTerms,
  agentId: z.uuid().optional(),
});
export type ApprovalWish = z.infer<typeof ApprovalWish>;

/** Where an approval stands. `stale`: somebody would have approved it, and by then it was no longer the same. */
export const approvalStates = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'stale'] as const;
export const ApprovalState = z.enum(approvalStates);
export type ApprovalState = z.infer<typeof ApprovalState>;

/** Who decides, as their door has authenticated them. */
export const Decider = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('user'),
    userId: z.uuid(),
    roles: z.array(Role).max(64),
    isAdmin: z.boolean(),
  }),
  /** An admin key: nobody in person. */
  z.strictObject({ kind: z.literal('admin') }),
]);
export type Decider = z.infer<typeof Decider>;

/** A decision about one call. The id of an approval is its call's. */
export const ApprovalDecision = z.strictObject({
  v: z.literal(1),
  orgId: z.uuid(),
  callId: z.uuid(),
  decider: Decider,
  approved: z.boolean(),
  reason: z.string().max(2_000).nullable(),
  /** What the decider saw, where their client says so: other arguments are refused. */
  argumentsSha256: z.string().length(64).nullable(),
});
export type ApprovalDecision = z.infer<typeof ApprovalDecision>;

export const ApprovalDecisionAnswer = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('decided'), state: ApprovalState, callState: CallStateSchema }),
  z.strictObject({ status: z.literal('refused'), error: ErrorInfo }),
]);
export type ApprovalDecisionAnswer = z.infer<typeof ApprovalDecisionAnswer>;
