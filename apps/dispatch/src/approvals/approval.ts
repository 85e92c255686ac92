import type { ApprovalState, ApprovalTerms, CallState, Decider } from '@switchyard/contracts';
import type { WaitingCall } from '../ledger/waiting-call.js';

/** A row of `dispatch.approvals` with what its call says of itself. */
export type Approval = {
  callId: string;
  orgId: string;
  state: ApprovalState;
  integrationId: string;
  integrationSlug: string;
  /** The upstream's own name of the tool. */
  tool: string;
  outwardName: string;
  argumentsSha256: string;
  policyVersion: string;
  askedBy: string | null;
  /** The virtual key by which it was asked, if it was one. */
  askedByKey: string | null;
  agentId: string | null;
  runId: string | null;
  runKind: string;
  terms: ApprovalTerms;
  deadlineMs: number;
  createdAt: Date;
  expiresAt: Date;
  /** By the database's clock. */
  isPast: boolean;
  decidedAt: Date | null;
  decidedByKind: Decider['kind'] | null;
  decidedBy: string | null;
  reason: string | null;
  callState: CallState;
};

/** A call that waits, locked: as the row has it now, and nobody else decides. */
export type LockedCall = { approval: Approval; call: WaitingCall };
