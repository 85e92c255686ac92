import type { ToolCallJob } from '@switchyard/contracts';

/**
 * Until when the upstream may take its time, if it asks nothing: the call's deadline, less what is kept for people where its
 * client can be asked.
 */
export function activeUntil({ sealed: { call }, client }: ToolCallJob): number {
  return client ? Math.min(call.deadlineAt, call.acceptedAt + client.activeMs) : call.deadlineAt;
}
