import { Injectable } from '@nestjs/common';
import {
  type AgentRecord,
  mayChat,
  policyClaimPaths,
  projectClaims,
  SnapshotStore,
} from '@switchyard/access';
import { type CallerContext, PlatformError } from '@switchyard/contracts';
import { Sql } from '@switchyard/database';
import { type ApiUser, SubjectTokenSealer } from '@switchyard/identity';

/** An agent, for people to read. */
export type ChatAgent = Pick<AgentRecord, 'id' | 'slug' | 'name'>;

/** What begins a run for a user: as whom, and their token where an integration could need it. */
export type ChatIdentity = { readonly caller: CallerContext; readonly subjectToken: string | null };

/** Which agents a user may chat with, and as whom. */
@Injectable()
export class ChatAgents {
  readonly #sealer: SubjectTokenSealer;

  constructor(
    private readonly snapshots: SnapshotStore,
    sql: Sql,
  ) {
    this.#sealer = new SubjectTokenSealer({ query: (text, params) => sql.query(text, params) });
  }

  /** By slug or id. Throws `not_found` for one with which the user may not chat: there is none for them. */
  find({ orgId, userId, person }: ApiUser, named: string): AgentRecord {
    const { agents } = this.snapshots.current();
    const agent =
      agents.get(named) ??
      [...agents.values()].find((candidate) => candidate.orgId === orgId && candidate.slug === named);
    if (agent && mayChat(agent, { orgId, userId, roles: person.roles })) return agent;
    throw new PlatformError('not_found', { message: 'There is no such agent for you.' });
  }

  /** All with which the user may chat, in the order of their slugs. */
  list({ orgId, userId, person }: ApiUser): ChatAgent[] {
    const caller = { orgId, userId, roles: person.roles };
    return [...this.snapshots.current().agents.values()]
      .filter((agent) => mayChat(agent, caller))
      .map(toChatAgent)
      .sort((a, b) => (a.slug < b.slug ? -1 : 1));
  }

  /** The token is sealed only where the organization has an integration that exchanges it. */
  async identity(user: ApiUser, agentId: string): Promise<ChatIdentity> {
    const { orgId, userId, person, jwt } = user;
    const { integrationsByOrg, globalIntegrations } = this.snapshots.current();
    const integrations = [...(integrationsByOrg.get(orgId) ?? []), ...globalIntegrations];
    const isExchanged = integrations.some(({ authMode }) => authMode === 'token_exchange');
    const subjectToken = isExchanged ? await this.#sealer.seal({ jwt, expiresAt: person.expiresAt }) : null;
    const paths = policyClaimPaths(this.snapshots.current(), orgId);
    const caller: CallerContext = {
      ...{ kind: 'user', orgId, userId, virtualKeyId: null, runKind: 'chat', agentId },
      ...{ roles: person.roles, hasSubjectToken: isExchanged },
      ...(paths.length > 0 && { claims: projectClaims(person.claims, paths) }),
    };
    return { caller, subjectToken };
  }

  /** For people to read; undefined for one that is gone. */
  describe(agentId: string): ChatAgent | undefined {
    const agent = this.snapshots.current().agents.get(agentId);
    return agent && toChatAgent(agent);
  }
}

function toChatAgent({ id, slug, name }: AgentRecord): ChatAgent {
  return { id, slug, name };
}
