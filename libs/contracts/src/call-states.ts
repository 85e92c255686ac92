import { z } from 'zod';

/** The states of a tool call and the moves between them; `architecture.md`, "A tool call". */
export const callTransitions = {
  accepted: ['queued', 'awaiting_approval', 'cancelled', 'expired'],
  awaiting_approval: ['queued', 'denied', 'cancelled', 'expired'],
  queued: ['running', 'cancelled', 'expired'],
  running: ['completed', 'failed', 'cancelled', 'outcome_unknown', 'queued'],
  completed: [],
  failed: [],
  cancelled: [],
  expired: [],
  denied: [],
  outcome_unknown: [],
} as const;

export type CallState = keyof typeof callTransitions;

export const callStates = Object.keys(callTransitions) as [CallState, ...CallState[]];

export const CallStateSchema = z.enum(callStates);

/** States that nothing leaves. Derived from the table. */
export const terminalCallStates = callStates.filter((state) => callTransitions[state].length === 0);

/** Whether the call has ended. */
export function isTerminal(state: CallState): boolean {
  return callTransitions[state].length === 0;
}

/** Whether the table allows the move. */
export function canMove(from: CallState, to: CallState): boolean {
  return (callTransitions[from] as readonly CallState[]).includes(to);
}
