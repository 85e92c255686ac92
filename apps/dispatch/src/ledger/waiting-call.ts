import type { CallResume, Lane, SealedToolCall, ToolCallJob } from '@switchyard/contracts';

/** A row of a call that is to be run, with all that its job is made of. */
export type WaitingCall = {
  call_id: string;
  lane: Lane;
  round: number;
  attempts: number;
  sealed: SealedToolCall;
  arguments_text: string | null;
  meta: Record<string, unknown> | null;
  subject_token: string | null;
  resume: CallResume | null;
  wants_progress: boolean;
};

export const waitingColumns = `call_id, lane, round, attempts, sealed, arguments::text AS arguments_text, meta, subject_token,
  resume, wants_progress`;

export function jobId({ call_id, round }: WaitingCall): string {
  return round === 0 ? call_id : `${call_id}-r${round}`;
}

export function jobOf(call: WaitingCall): ToolCallJob {
  return {
    v: 1,
    sealed: call.sealed,
    arguments: JSON.parse(call.arguments_text ?? '{}') as Record<string, unknown>,
    ...(call.meta && { meta: call.meta }),
    ...(call.subject_token !== null && { subjectToken: call.subject_token }),
    ...(call.resume && { resume: call.resume }),
    progress: call.wants_progress,
    round: call.round,
    attempts: call.attempts,
  };
}
