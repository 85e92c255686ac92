import type { Snapshot } from '@switchyard/access';
import type { AgentEntity } from './agent.entity.js';
import { chatCaller, offeredTools } from './offered-tools.js';

const mostNames = 5;
const keyed: readonly string[] = ['openai', 'anthropic'];

/** What of an agent's own settings hardly does what its admin means. */
export function agentWarnings(snapshot: Snapshot, agent: AgentEntity, isTriggered: boolean): string[] {
  const warnings: string[] = [];
  const { everyone, roles, userIds } = agent.chatAccess;
  if (!isTriggered && !everyone && roles.length + userIds.length === 0)
    warnings.push('Nobody may chat with it (chat_access), and it has no schedule and no webhook.');
  if (agent.grants.every(({ tools_to_execute: tools }) => tools?.length === 0))
    warnings.push('It has no tools: grants names none.');
  if (!agent.hasModelKey && keyed.includes(agent.model.provider))
    warnings.push(`It has no model_key, and ${agent.model.provider} answers nobody without one.`);
  return [...warnings, ...strangePolicies(snapshot, agent), ...untouched(snapshot, agent)];
}

/** A server says what tools it has to somebody whom it knows. Till then a chat could ask nobody to connect: it has no tool to call. */
function untouched(snapshot: Snapshot, agent: AgentEntity): string[] {
  const { leftOut } = offeredTools(snapshot, agent, chatCaller(agent));
  const slugs = new Set(
    leftOut.filter(({ reason }) => reason === 'not_connected').map((one) => one.integrationSlug),
  );
  return [...slugs]
    .filter((slug) => isPersonal(snapshot, agent, slug))
    .map(
      (slug) =>
        `"${slug}" is not connected, so no run is offered its tools: they are known once a user has connected for themself.`,
    );
}

function isPersonal({ integrations }: Snapshot, { organizationId }: AgentEntity, slug: string): boolean {
  return [...integrations.values()].some(
    (one) =>
      one.slug === slug &&
      (one.orgId === organizationId || one.scope === 'global') &&
      (one.authMode === 'authorization_code' || one.userHeaderNames.length > 0),
  );
}

/** Of an integration of which no tool is known yet, any name may be right. */
function strangePolicies(snapshot: Snapshot, agent: AgentEntity): string[] {
  const { tools, leftOut } = offeredTools(snapshot, agent, chatCaller(agent));
  const known = new Set([
    ...tools.map(({ resolved }) => resolved.outwardName),
    ...leftOut.map(({ name }) => name),
  ]);
  const whole = leftOut.filter(({ name, integrationSlug }) => name.replaceAll('_', '-') === integrationSlug);
  const strange = Object.keys(agent.execution.tools).filter(
    (name) =>
      !known.has(name) && !whole.some(({ integrationSlug }) => name.startsWith(`${integrationSlug}_`)),
  );
  if (strange.length === 0) return [];
  const names = strange.slice(0, mostNames).map((name) => `"${name}"`);
  const more = strange.length > mostNames ? ` and ${strange.length - mostNames} more` : '';
  return [`tool_policies names ${names.join(', ')}${more}, which the agent does not have.`];
}
