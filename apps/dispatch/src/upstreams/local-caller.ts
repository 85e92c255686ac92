import { LOCAL_KIND, type LocalCaller, type ToolCall } from '@switchyard/contracts';

/** Who calls, for the operator's own tools; no other upstream is told. */
export function localCaller(kind: string, { callId, caller }: ToolCall): LocalCaller | undefined {
  if (kind !== LOCAL_KIND) return undefined;
  return {
    user_id: caller.userId,
    organization_id: caller.orgId,
    call_id: callId,
    run_kind: caller.runKind,
    agent_id: caller.agentId ?? null,
  };
}
