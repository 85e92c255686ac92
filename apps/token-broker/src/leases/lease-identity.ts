import type { CallerContext } from '@switchyard/contracts';
import type { CheckedAsk } from './lease-ask.js';

/** Whether a user is present by whose own credentials the call can be made. A plain virtual key has nobody. */
export function presentUser({ request }: CheckedAsk): (CallerContext & { userId: string }) | null {
  const { caller } = request;
  if (caller?.kind !== 'user' || caller.userId === null) return null;
  const isUnattended = caller.runKind === 'schedule' || caller.runKind === 'webhook';
  return isUnattended ? null : { ...caller, userId: caller.userId };
}

/** Discovery asks without a call. */
export function isDiscovery({ request }: CheckedAsk): boolean {
  return request.call === null;
}
