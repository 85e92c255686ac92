import type { Snapshot } from '@switchyard/access';
import type { AgentEntity } from './agent.entity.js';
import { LostTool } from './lost-tool.schemas.js';
import { offeredTools, unattendedCaller } from './offered-tools.js';

const mostNames = 5;

/** What runs where nobody is present are not offered, for no passing reason. */
export function lostTools(snapshot: Snapshot, agent: AgentEntity): LostTool[] {
  const { leftOut } = offeredTools(snapshot, agent, unattendedCaller(agent, 'schedule'));
  return leftOut.flatMap(({ name: tool, integrationSlug: integration, reason }) => {
    const lost = LostTool.safeParse({ tool, integration, reason });
    return lost.success ? [lost.data] : [];
  });
}

/** The same in words, for each integration and reason, with what to do about it. */
export function lostWarnings(snapshot: Snapshot, agent: AgentEntity, lost: readonly LostTool[]): string[] {
  const groups = Map.groupBy(lost, ({ integration, reason }) => `${integration} ${reason}`);
  return [...groups.values()].map((tools) => {
    const [{ integration, reason }] = tools as [LostTool, ...LostTool[]];
    const names = shown(tools.map(({ tool }) => tool));
    const whole = tools.length === 1 && tools[0]?.tool.replaceAll('_', '-') === integration;
    const what = whole ? `"${integration}"` : `${names} of "${integration}"`;
    return `Unattended runs (schedules, webhooks) lose ${what}: ${because[reason](snapshot, agent, integration)}`;
  });
}

type Why = (snapshot: Snapshot, agent: AgentEntity, slug: string) => string;

const because: Record<LostTool['reason'], Why> = {
  no_identity: whyNobody,
  not_available_to_autonomous: () => 'it is not available to them (available_to_autonomous).',
  approval_required: () =>
    'calls need approval, and nobody is there. Set their policy to auto_execute, or unattended_approval to park.',
  user_scoped: () => 'it is an integration of single users, which nobody else can use.',
};

/** Only who consented once can lend that to runs; headers and tokens that users bring with them are nobody else's. */
function whyNobody(snapshot: Snapshot, { organizationId: orgId }: AgentEntity, slug: string): string {
  const found = [...snapshot.integrations.values()].filter(
    (one) => one.slug === slug && one.scope !== 'user',
  );
  const integration =
    found.find((one) => one.orgId === orgId) ?? found.find(({ scope }) => scope === 'global');
  if (integration?.authMode !== 'authorization_code')
    return 'each user brings a credential of their own, and runs without a user have none.';
  return integration.serviceUserId === null
    ? 'each user connects for themself, and nobody is there. Set service_user_id of the integration to a user who has connected.'
    : 'its service user has no credential that lives. They have to connect, or set service_user_id to somebody who has.';
}

function shown(names: readonly string[]): string {
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  return `${names.slice(0, mostNames).join(', ')}${more}`;
}
