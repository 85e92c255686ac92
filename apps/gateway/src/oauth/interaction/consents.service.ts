import { Inject, Injectable } from '@nestjs/common';
import {
  findToolset,
  grantedIntegrations,
  type IntegrationRecord,
  isAttached,
  policyClaimPaths,
  projectClaims,
  SnapshotStore,
} from '@switchyard/access';
import { type CallerContext, PlatformError } from '@switchyard/contracts';
import type Provider from 'oidc-provider';
import { v7 as uuid } from 'uuid';
import { GATEWAY_CONFIG, type GatewayConfig } from '../../config.js';
import { GrantsService } from '../grants/grants.service.js';
import { Issuer } from '../issuer.js';
import { OAuthAudit } from '../oauth-audit.js';
import { type Resource, resourceOf } from '../resources.js';
import { mcpScope } from '../server/provider-configuration.js';
import type { BrowserUser } from './browser-sessions.service.js';
import { ConnectionStates } from './connection-states.repository.js';

/** So many travel with a call. */
const mostShared = 1_000;

/** What a client asks of a user. */
export type ConsentRequest = {
  readonly interactionId: string;
  readonly clientId: string;
  readonly clientName: string | null;
  /** Whose document names the client and its redirect URIs; null: the client registered itself by whatever name. */
  readonly clientHost: string | null;
  readonly redirectUri: string;
  readonly resource: Resource;
  /** Epoch seconds. */
  readonly askedAt: number;
  readonly isNewSignInWanted: boolean;
};

/** What the user may share. */
export type Choice = { readonly integration: IntegrationRecord; readonly isConnected: boolean | null };
export type ConsentView = {
  readonly choices: readonly Choice[];
  readonly organization: string;
  /** False: the request is for a toolset that this user may not use. */
  readonly isAllowed: boolean;
};

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** What a user lets an MCP client do. */
@Injectable()
export class ConsentsService {
  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly connections: ConnectionStates,
    private readonly grants: GrantsService,
    private readonly issuer: Issuer,
    private readonly audit: OAuthAudit,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'oauth'>,
  ) {}

  async describe(provider: Provider, { uid, iat, params, prompt }: Interaction): Promise<ConsentRequest> {
    const {
      client_id: clientId,
      redirect_uri: redirectUri,
      resource: uri,
    } = params as Record<string, string>;
    const client = await provider.Client.find(clientId ?? '');
    const resource = resourceOf(String(uri), this.issuer.resourceOrigins());
    if (!client || !resource || redirectUri === undefined) throw new PlatformError('not_found');
    const isDocument = 'clientIdMetadataDocument' in client;
    return {
      interactionId: uid,
      clientId: client.clientId,
      clientName: client.clientName ?? null,
      clientHost: isDocument ? new URL(client.clientId).host : null,
      ...{ redirectUri, resource, askedAt: iat },
      isNewSignInWanted: prompt.reasons.some((reason) => /^(login|select_account)_prompt$/.test(reason)),
    };
  }

  async view(request: ConsentRequest, user: BrowserUser): Promise<ConsentView> {
    const snapshot = this.snapshots.current();
    const caller = this.#caller(request, user);
    const connected = await this.connections.connectedOf(user.orgId, user.userId);
    return {
      organization: snapshot.organizations.get(user.orgId)?.name ?? '',
      isAllowed: this.#isAllowed(request, caller),
      choices: grantedIntegrations(snapshot, caller).map((integration) => ({
        integration,
        isConnected: isPersonal(integration) ? connected.has(integration.id) : null,
      })),
    };
  }

  /** `chosen`: ids of integrations, null for all. Gives the grant's id; throws where it was given before. */
  async allow(
    provider: Provider,
    request: ConsentRequest,
    { user, chosen }: { user: BrowserUser; chosen: readonly string[] | null },
  ): Promise<string> {
    const { choices, isAllowed } = await this.view(request, user);
    if (!isAllowed) throw new PlatformError('forbidden');
    const { interactionId, clientId, clientName, clientHost, redirectUri, resource } = request;
    const { orgId, userId, identityProviderId, claims } = user;
    const may = choices.map(({ integration }) => integration.id);
    const id = uuid();
    const isFirst = await this.grants.add({
      ...{
        id,
        interactionId,
        orgId,
        userId,
        identityProviderId,
        clientId,
        clientName,
        clientHost,
        redirectUri,
      },
      resource: resource.uri,
      issuer: user.issuer ?? this.#issuerOf(identityProviderId),
      integrationIds: chosen && may.filter((one) => chosen.includes(one)).slice(0, mostShared),
      claims,
      expiresAt: new Date(Date.now() + this.config.oauth.grantTtlMs),
    });
    if (!isFirst) throw new PlatformError('conflict', { message: 'This request was answered already.' });
    const grant = new provider.Grant({ accountId: userId, clientId, jti: id } as never);
    grant.addResourceScope(resource.uri, mcpScope);
    await grant.save();
    this.#note('client_authorized', request, user, { grant_id: id });
    return id;
  }

  deny(request: ConsentRequest, user: BrowserUser): void {
    this.#note('client_denied', request, user, {});
  }

  #issuerOf(identityProviderId: string): string | null {
    const { identityProviders } = this.snapshots.current();
    return identityProviders.find(({ id }) => id === identityProviderId)?.issuer ?? null;
  }

  #note(
    action: 'client_authorized' | 'client_denied',
    request: ConsentRequest,
    user: BrowserUser,
    more: Record<string, string>,
  ): void {
    const { clientId, clientName, redirectUri, resource } = request;
    this.audit.note({
      ...{ orgId: user.orgId, userId: user.userId, action, code: null },
      result: action === 'client_authorized' ? 'ok' : 'refused',
      actor: { kind: 'user', id: user.userId },
      details: {
        ...{ client_id: clientId, redirect_uri: redirectUri, resource: resource.uri, ...more },
        ...(clientName !== null && { client_name: clientName }),
      },
    });
  }

  #isAllowed({ resource }: ConsentRequest, caller: CallerContext): boolean {
    if (resource.toolset === null) return true;
    const snapshot = this.snapshots.current();
    const toolset = findToolset(snapshot, caller.orgId, resource.toolset);
    return toolset !== undefined && isAttached(snapshot, toolset, caller);
  }

  #caller({ resource }: ConsentRequest, { orgId, userId, roles, claims }: BrowserUser): CallerContext {
    const snapshot = this.snapshots.current();
    const toolset = resource.toolset === null ? undefined : findToolset(snapshot, orgId, resource.toolset);
    return {
      ...{ kind: 'user', orgId, userId, virtualKeyId: null, runKind: 'mcp', roles, hasSubjectToken: false },
      claims: projectClaims(claims, policyClaimPaths(snapshot, orgId)),
      ...(toolset && { toolsetId: toolset.id }),
    };
  }
}

/** Whether each user connects it for themself. */
function isPersonal({ authMode, userHeaderNames }: IntegrationRecord): boolean {
  return authMode === 'authorization_code' || (authMode === 'headers' && userHeaderNames.length > 0);
}
