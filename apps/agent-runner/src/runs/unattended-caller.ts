import type { CallerContext } from '@switchyard/contracts';

/** Who calls in a run that nobody began by hand. Where a tool needs a user, it is called as the service user or not at all. */
export function unattendedCaller(
  runKind: 'schedule' | 'webhook',
  { orgId, agentId }: { readonly orgId: string; readonly agentId: string },
): CallerContext {
  const nobody = { userId: null, virtualKeyId: null, roles: [], hasSubjectToken: false };
  return { kind: 'service', orgId, runKind, agentId, ...nobody };
}
