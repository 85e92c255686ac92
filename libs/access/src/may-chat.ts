import type { CallerContext } from '@switchyard/contracts';
import type { AgentRecord } from './records.js';

/** Whether the user may chat with the agent: everyone may, or the user is named, by id or by a role. */
export function mayChat(
  { orgId, isActive, chatAccess }: Pick<AgentRecord, 'orgId' | 'isActive' | 'chatAccess'>,
  caller: Pick<CallerContext, 'orgId' | 'userId' | 'roles'>,
): boolean {
  if (!isActive || caller.orgId !== orgId || caller.userId === null) return false;
  const { everyone, roles, userIds } = chatAccess;
  return everyone || userIds.includes(caller.userId) || roles.some((role) => caller.roles.includes(role));
}
