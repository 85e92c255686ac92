import { Injectable } from '@nestjs/common';
import type { Snapshot } from '@switchyard/access';
import { McpConfigsService } from '../mcp-configs/mcp-configs.service.js';
import { SnapshotService } from '../snapshot/snapshot.service.js';
import type { AgentEntity } from './agent.entity.js';
import { agentWarnings } from './agent-warnings.js';
import { AgentsRepository } from './agents.repository.js';
import { lostTools, lostWarnings } from './lost-tools.js';
import type { LostTool } from './lost-tool.schemas.js';

/** To be spread into an answer. */
export type Told = { warnings?: string[]; lost_unattended: LostTool[] };

/** What is valid and yet hardly meant: said to whoever saves an agent, a schedule or a webhook, and to whoever reads it. */
@Injectable()
export class AgentWarningsService {
  constructor(
    private readonly agents: AgentsRepository,
    private readonly configs: McpConfigsService,
    private readonly snapshots: SnapshotService,
  ) {}

  async ofAgent(agent: AgentEntity): Promise<Told> {
    const { schedules, webhooks } = await this.agents.triggers(agent.id);
    const isTriggered = schedules.length + webhooks.length > 0;
    const snapshot = await this.snapshots.newest();
    const { warnings = [] } = await this.configs.warnings(agent.organizationId, agent.grants);
    const lost = isTriggered ? lostTools(snapshot, agent) : [];
    const all = [
      ...agentWarnings(snapshot, agent, isTriggered),
      ...warnings,
      ...lostWarnings(snapshot, agent, lost),
    ];
    return toTold(all, lost);
  }

  /** Of a schedule or webhook of the agent. */
  async ofTrigger(agent: AgentEntity, snapshot?: Snapshot): Promise<Told> {
    const newest = snapshot ?? (await this.snapshots.newest());
    const lost = lostTools(newest, agent);
    const off = agent.isActive ? [] : ['The agent is switched off: nothing runs until is_active is true.'];
    return toTold([...off, ...lostWarnings(newest, agent, lost)], lost);
  }
}

function toTold(warnings: string[], lost: LostTool[]): Told {
  return { lost_unattended: lost, ...(warnings.length > 0 && { warnings }) };
}
