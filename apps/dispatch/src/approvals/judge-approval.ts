import { executionPolicy, findTool, mayDecide, type Snapshot } from '@switchyard/access';
import { type ApprovalDecision, type Decider, PlatformError } from '@switchyard/contracts';
import { type Sealer, verifyToolCall } from '@switchyard/queue';
import { hasSealedArguments, type ToolResolver } from '../tool-calls/tool-resolver.js';
import type { Approval, LockedCall } from './approval.js';

export type Judges = {
  readonly sealer: Sealer;
  readonly resolver: ToolResolver;
  readonly snapshot: () => Snapshot;
};

/** Throws unless this decider may decide about this call now. What it throws changes nothing: another may still decide. */
export function assertMayDecide(decision: ApprovalDecision, approval: Approval, snapshot: Snapshot): void {
  const { decider, argumentsSha256 } = decision;
  assertPending(approval);
  if (decider.kind === 'user' && snapshot.inactiveUsers.has(decider.userId))
    throw new PlatformError('user_inactive');
  if (!mayDecide(decider, approval))
    throw new PlatformError('forbidden', { message: whyNot(decider, approval) });
  if (argumentsSha256 !== null && argumentsSha256 !== approval.argumentsSha256)
    throw new PlatformError('conflict', {
      message: 'The arguments of the call are not those that you decide about.',
    });
}

function whyNot(decider: Decider, { askedBy }: Approval): string {
  return decider.kind === 'user' && decider.userId === askedBy
    ? 'You asked for this call yourself: another person has to decide about it, an admin or one of its approvers.'
    : 'You may not decide about this call: admins and its approvers may.';
}

function assertPending({ state, isPast }: Approval): void {
  if (state === 'expired' || (state === 'pending' && isPast)) throw new PlatformError('approval_expired');
  if (state !== 'pending')
    throw new PlatformError('conflict', {
      message: `The approval is ${state} already.`,
      details: { state },
    });
}

/** Why what would run is not what waits for approval: then nobody can approve it any more. Undefined where it is the same. */
export function whyStale({ approval, call }: LockedCall, judges: Judges): string | undefined {
  if (!isAsAccepted({ approval, call }, judges.sealer))
    return 'The stored call is not the one that was accepted.';
  const asked = call.sealed.call;
  const resolution = judges.resolver.resolve(asked);
  if (resolution.status === 'missing') return `Now it would be refused: ${resolution.error.code}.`;
  const snapshot = judges.snapshot();
  const resolved = findTool(snapshot, asked.caller, asked.outwardName);
  const version = resolved && executionPolicy(snapshot, asked.caller, resolved).version;
  return version === approval.policyVersion
    ? undefined
    : 'The tool, its integration or the agent was changed since it was asked for.';
}

/** Seal, digest and row all tell of the same call with the same arguments. */
function isAsAccepted({ approval, call }: LockedCall, sealer: Sealer): boolean {
  const { sealed, arguments_text: text } = call;
  return (
    verifyToolCall(sealer, sealed) &&
    sealed.call.callId === approval.callId &&
    sealed.call.caller.orgId === approval.orgId &&
    sealed.call.argumentsSha256 === approval.argumentsSha256 &&
    text !== null &&
    hasSealedArguments(sealed.call, JSON.parse(text) as Record<string, unknown>)
  );
}
