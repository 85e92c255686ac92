import type { CallerContext } from '@switchyard/contracts';
import { hasIdentity, isAttended } from './available-auth.js';
import { agentOf, callerGrants } from './caller-grants.js';
import { isShared } from './caller-view.js';
import { configGrants, type Grant, type Grants, slugOf } from './config-grants.js';
import { outwardNames } from './outward-name.js';
import type { AgentRecord, IntegrationRecord, ResolvedTool } from './records.js';
import { resolveTools } from './resolve-tools.js';
import { isServed, servedTools } from './served-tools.js';
import type { Snapshot } from './snapshot.js';
import { integrationsInScope, isAvailable } from './visible-integrations.js';

/** Why something that an agent was granted is not there in a run of it. */
export type LeftOutReason =
  /** No integration has that slug. */
  | 'unknown_integration'
  /** The integration has no tool of that name. */
  | 'unknown_tool'
  /** The integration is of single users, and the run of none of them. */
  | 'user_scoped'
  /** Gone from the server, switched off by an admin, or not in what the integration serves: for nobody. */
  | 'hidden'
  | 'not_available_in_chat'
  | 'not_available_to_autonomous'
  /** Not among what the user shared with the client through which they chat. */
  | 'not_shared'
  /** To the user who chats. */
  | 'denied_by_policy'
  /** Users bring their own credentials, and nobody is there; nor is there a service user whose credential lives. */
  | 'no_identity'
  /** Disconnected, disabled, or not connected yet. */
  | 'not_connected'
  /** The integration is pinned, and no admin approved the tool as it is now. */
  | 'not_approved';

/** A tool, or a whole integration where its tools are not known: then `name` is the client's, as the grant has it. */
export type LeftOutTool = {
  readonly name: string;
  readonly integrationSlug: string;
  readonly reason: LeftOutReason;
};

export type AgentTools = {
  /** Exactly those of `resolveTools`. */
  readonly tools: readonly ResolvedTool[];
  /** Sorted by name. */
  readonly leftOut: readonly LeftOutTool[];
};

/**
 * What the agent in whose run the caller calls has, and what of its grants is left out of this run and why: every tool
 * that the grants name is in one of the two. Where the caller may not use the agent at all there is nothing to explain,
 * and both are empty. Says nothing about approvals: `executionPolicy` does.
 */
export function agentTools(snapshot: Snapshot, caller: CallerContext): AgentTools {
  const tools = resolveTools(snapshot, caller);
  const agent = agentOf(snapshot, caller);
  if (!agent) return { tools, leftOut: [] };
  const run: Run = { snapshot, caller, granted: callerGrants(snapshot, caller).of };
  const inScope = new Map(integrationsInScope(snapshot, caller).map((one) => [one.slug, one]));
  const leftOut = grantedClients(agent).flatMap((client) => {
    const integration = inScope.get(client.slug);
    return integration ? ofIntegration(run, { ...client, integration }) : [ofNobody(snapshot, agent, client)];
  });
  return { tools, leftOut: leftOut.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

type Run = { readonly snapshot: Snapshot; readonly caller: CallerContext; readonly granted: Grants };

/** What an agent's configs name of one client, all of them together. */
type GrantedClient = {
  readonly name: string;
  readonly slug: string;
  readonly grant: Grant;
  readonly toolNames: readonly string[];
};
type FoundClient = GrantedClient & { readonly integration: IntegrationRecord };

function grantedClients({ mcpConfigs }: AgentRecord): GrantedClient[] {
  const grants = configGrants(mcpConfigs);
  const bySlug = Map.groupBy(mcpConfigs, ({ mcpClientName }) => slugOf(mcpClientName));
  return [...bySlug].map(([slug, configs]) => ({
    name: configs[0]?.mcpClientName ?? slug,
    slug,
    grant: grants(slug),
    toolNames: [...new Set(configs.flatMap(({ toolsToExecute }) => toolsToExecute ?? []))].filter(
      (name) => name !== '*',
    ),
  }));
}

/** Several users may have an integration of that slug, each with tools that are nobody else's business. */
function ofNobody(snapshot: Snapshot, { orgId }: AgentRecord, { name, slug }: GrantedClient): LeftOutTool {
  const ofOrg = snapshot.integrationsByOrg.get(orgId) ?? [];
  const isUsers = ofOrg.some((one) => one.scope === 'user' && one.slug === slug);
  return { name, integrationSlug: slug, reason: isUsers ? 'user_scoped' : 'unknown_integration' };
}

function ofIntegration(run: Run, client: FoundClient): LeftOutTool[] {
  const { integration, slug: integrationSlug } = client;
  const ofTools = servedTools(run.snapshot, integration)
    .discovered.filter((resolved) => client.grant.tool(resolved))
    .flatMap((resolved) => {
      const reason = whyNotTool(run, resolved);
      return reason ? [{ name: resolved.outwardName, integrationSlug, reason }] : [];
    });
  return [...ofTools, ...ofUnknown(run, client)];
}

/** From what hides the tool from everybody to what somebody may mend while the run lasts. */
function whyNotTool(run: Run, resolved: ResolvedTool): LeftOutReason | undefined {
  const { integration, outwardName: name } = resolved;
  const { byName, unapproved } = servedTools(run.snapshot, integration);
  if (!byName.has(name)) return 'hidden';
  const closed = whyClosed(run, integration);
  if (closed) return closed;
  if (!run.granted(integration.slug).tool(resolved)) return 'denied_by_policy';
  return whyOff(run, integration) ?? (unapproved.has(name) ? 'not_approved' : undefined);
}

/** What the grants name and the integration never listed, under the names that it would have. */
function ofUnknown(run: Run, client: FoundClient): LeftOutTool[] {
  const { integration, toolNames, slug: integrationSlug } = client;
  const { discovered } = servedTools(run.snapshot, integration);
  const known = new Set(discovered.flatMap((one) => [one.tool.name, one.outwardName]));
  const missing = toolNames.filter((name) => !known.has(name));
  const names = outwardNames(integrationSlug, [
    ...discovered.map(({ tool }) => tool),
    ...missing.map((name) => ({ name })),
  ]);
  const isOutward = (name: string) => name.startsWith(`${integrationSlug}_`);
  const unknown = new Set(missing.map((name) => (isOutward(name) ? name : (names.get(name) ?? name))));
  const whole = discovered.length === 0 ? whyNothing(run, client) : undefined;
  if (whole && unknown.size === 0 && client.grant.mayHold)
    return [{ name: client.name, integrationSlug, reason: whole }];
  return [...unknown].map((name) => ({ name, integrationSlug, reason: whole ?? 'unknown_tool' }));
}

/** Of an integration none of whose tools is known: most have not been connected by anybody yet. */
function whyNothing(run: Run, { integration }: FoundClient): LeftOutReason | undefined {
  const { id, slug } = integration;
  const closed = whyClosed(run, integration);
  if (closed) return closed;
  if (!run.granted(slug).mayHold) return 'denied_by_policy';
  const isListed = ['connected', 'unstable'].includes(run.snapshot.states.get(id)?.state ?? '');
  return whyOff(run, integration) ?? (isListed ? undefined : 'not_connected');
}

function whyClosed({ caller }: Run, integration: IntegrationRecord): LeftOutReason | undefined {
  if (!isAvailable(integration, caller))
    return isAttended(caller) ? 'not_available_in_chat' : 'not_available_to_autonomous';
  return isShared(integration, caller) ? undefined : 'not_shared';
}

function whyOff({ snapshot, caller }: Run, integration: IntegrationRecord): LeftOutReason | undefined {
  if (!hasIdentity(snapshot, integration, caller)) return 'no_identity';
  return isServed(integration, snapshot.states.get(integration.id)) ? undefined : 'not_connected';
}
