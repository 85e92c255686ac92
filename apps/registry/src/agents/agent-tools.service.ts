import { Injectable } from '@nestjs/common';
import { mayChat } from '@switchyard/access';
import type { AdminContext } from '../admin/admin-context.js';
import { refuseFields } from '../http/refuse-fields.js';
import { SnapshotService } from '../snapshot/snapshot.service.js';
import { UsersRepository } from '../users/users.repository.js';
import type { UserEntity } from '../users/user.entity.js';
import type { AgentToolsBody, AskToolsQuery } from './agent-tool.schemas.js';
import type { AgentEntity } from './agent.entity.js';
import { AgentsRepository } from './agents.repository.js';
import { chatCaller, offeredTools, unattendedCaller } from './offered-tools.js';
import type { Offered } from './offered-tools.js';

/** What a run would have, for admins who ask why it has something or has it not. */
@Injectable()
export class AgentToolsService {
  constructor(
    private readonly agents: AgentsRepository,
    private readonly users: UsersRepository,
    private readonly snapshots: SnapshotService,
  ) {}

  async ask({ orgId }: AdminContext, id: string, query: AskToolsQuery): Promise<AgentToolsBody> {
    const agent = await this.agents.require(orgId, id);
    const user = await this.userOf(orgId, query);
    const { context } = query;
    const caller = context === 'chat' ? chatCaller(agent, user) : unattendedCaller(agent, context);
    const { tools, leftOut } = offeredTools(await this.snapshots.newest(), agent, caller);
    return {
      context,
      user_id: user?.id ?? null,
      may_chat: user ? user.active && mayChat(chattable(agent), caller) : null,
      tools: tools.map((tool) => toAnswer(agent, tool)),
      left_out: leftOut.map(({ name, integrationSlug: integration, reason }) => ({
        name,
        integration,
        reason,
      })),
    };
  }

  private async userOf(
    orgId: string,
    { context, user_id: id }: AskToolsQuery,
  ): Promise<UserEntity | undefined> {
    if (id === undefined) return undefined;
    if (context !== 'chat') refuseFields([{ path: 'user_id', message: 'goes with context chat alone' }]);
    const user = await this.users.find(orgId, id);
    if (!user) refuseFields([{ path: 'user_id', message: 'is not a user of the organization' }]);
    return user ?? undefined;
  }
}

function chattable({ organizationId: orgId, chatAccess }: AgentEntity) {
  return { orgId, chatAccess, isActive: true };
}

function toAnswer(
  { toolDeadlineMs }: AgentEntity,
  { resolved, mode }: Offered['tools'][number],
): AgentToolsBody['tools'][number] {
  const { integration, wire, outwardName, safe, deadlineMs } = resolved;
  return {
    name: outwardName,
    integration: integration.slug,
    integration_id: integration.id,
    title: wire.title ?? null,
    description: wire.description ?? null,
    annotations: wire.annotations ?? null,
    execution: mode,
    safe,
    deadline_ms: deadlineMs ?? toolDeadlineMs,
  };
}
