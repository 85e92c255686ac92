import { AgentDefinition, ApprovalTerms, ChatAccess } from '@switchyard/contracts';
import type { FieldError } from '@switchyard/service-kit';
import { v7 as uuidv7 } from 'uuid';
import { changedTerms } from '../approval-terms/approval-terms.js';
import { AgentEntity } from './agent.entity.js';
import type { CreateAgentBody, UpdateAgentBody } from './agent.schemas.js';

const { maxDepth, toolDeadlineMs, mixedTurn, unattendedApproval, agenticMode } = AgentDefinition.shape;

const defaults = {
  description: null,
  instructions: '',
  hasModelKey: false,
  grants: [],
  execution: { default: null, tools: {} },
  approval: ApprovalTerms.parse({}),
  chatAccess: ChatAccess.parse({}),
  maxDepth: maxDepth.parse(undefined),
  toolDeadlineMs: toolDeadlineMs.parse(undefined),
  mixedTurn: mixedTurn.parse(undefined),
  unattendedApproval: unattendedApproval.parse(undefined),
  agenticMode: agenticMode.parse(undefined),
  isActive: true,
  version: 1,
};

/** The row of a new agent. */
export function newAgent(organizationId: string, body: CreateAgentBody): AgentEntity {
  const { slug, model } = body;
  const now = new Date();
  const fixed = { id: uuidv7(), organizationId, slug, name: slug, model, createdAt: now, updatedAt: now };
  return applyAgent(Object.assign(new AgentEntity(), defaults, fixed), body);
}

/** The row with what the body names; the rest stays. */
export function applyAgent(row: AgentEntity, body: UpdateAgentBody): AgentEntity {
  const columns = Object.entries(columnsOf(row, body)).filter(([, value]) => value !== undefined);
  return Object.assign(new AgentEntity(), row, Object.fromEntries(columns));
}

/** A stored key goes to the provider for which somebody gave it, and to no other address. */
export function redirectedKey(row: AgentEntity, next: AgentEntity, body: UpdateAgentBody): FieldError[] {
  const isKept = row.hasModelKey && next.hasModelKey && !body.model_key;
  if (!isKept || addressOf(row) === addressOf(next)) return [];
  const message =
    'the stored key belongs to the provider and address before: give it again, or null to drop it';
  return [{ path: 'model_key', message }];
}

function addressOf({ model }: AgentEntity): string {
  const { provider, base_url: url } = model;
  return `${provider} ${url === undefined ? '' : new URL(url).origin}`;
}

function columnsOf(
  { execution, approval, chatAccess }: AgentEntity,
  body: UpdateAgentBody,
): Partial<AgentEntity> {
  return {
    name: body.name,
    description: body.description,
    instructions: body.instructions,
    model: body.model,
    hasModelKey: body.model_key === undefined ? undefined : body.model_key !== null,
    grants: body.grants,
    execution: {
      default: body.default_policy === undefined ? execution.default : body.default_policy,
      tools: body.tool_policies ?? execution.tools,
    },
    approval: changedTerms(approval, body.approval),
    chatAccess: changedAccess(chatAccess, body.chat_access),
    maxDepth: body.max_depth,
    toolDeadlineMs: body.tool_deadline_ms,
    mixedTurn: body.mixed_turn,
    unattendedApproval: body.unattended_approval,
    agenticMode: body.agentic_mode,
    isActive: body.is_active,
  };
}

function changedAccess(access: ChatAccess, changes: UpdateAgentBody['chat_access']): ChatAccess | undefined {
  return (
    changes && {
      everyone: changes.everyone ?? access.everyone,
      roles: changes.roles ?? access.roles,
      userIds: changes.user_ids ?? access.userIds,
    }
  );
}
