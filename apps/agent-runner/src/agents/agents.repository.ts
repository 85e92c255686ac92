import { Injectable } from '@nestjs/common';
import { AgentDefinition } from '@switchyard/contracts';
import { lockModelKey, Sql } from '@switchyard/database';

/** Definitions of agents, as the registry publishes them. */
@Injectable()
export class AgentsRepository {
  constructor(private readonly sql: Sql) {}

  /** Undefined too for an agent of another organization. */
  async find(orgId: string, agentId: string, sql = this.sql): Promise<AgentDefinition | undefined> {
    const [row] = await sql.query(`${definition} WHERE id = $1 AND organization_id = $2`, [agentId, orgId]);
    return row && AgentDefinition.parse(row);
  }

  /** As `find`, but waits until no change of its model's key is under way, which the vault has before the registry commits. */
  async findSettled(orgId: string, agentId: string): Promise<AgentDefinition | undefined> {
    return this.sql.transaction(async (sql) => {
      await lockModelKey(sql, agentId, 'shared');
      return this.find(orgId, agentId, sql);
    });
  }
}

const definition = `SELECT id, organization_id AS "orgId", slug, name, instructions, model, grants, execution, approval,
    chat_access AS "chatAccess", has_model_key AS "hasModelKey", max_depth AS "maxDepth",
    tool_deadline_ms AS "toolDeadlineMs", mixed_turn AS "mixedTurn", unattended_approval AS "unattendedApproval",
    agentic_mode AS "agenticMode", is_active AS "isActive", version
  FROM registry.v_agent_definitions`;
