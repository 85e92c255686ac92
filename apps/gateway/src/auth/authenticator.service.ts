import { Inject, Injectable } from '@nestjs/common';
import { anonymousCaller, authenticateVirtualKey, SnapshotStore, virtualKeyStatus } from '@switchyard/access';
import { type CallerContext, errorCatalog, PlatformError } from '@switchyard/contracts';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { GatewayTokens } from '../oauth/tokens/gateway-tokens.service.js';
import { type DistinctHeaders, presentedCredential } from './presented-credential.js';
import { type Principal, principalOf } from './principal.js';
import { RefusedCallers } from './refused-callers.service.js';
import { UserTokens } from './user-tokens.service.js';

const refusals = { unknown: 'unauthenticated', expired: 'key_expired', revoked: 'key_revoked' } as const;

/** Finds out who calls. */
@Injectable()
export class Authenticator {
  constructor(
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'isAuthEnforced' | 'oauth'>,
    private readonly snapshots: SnapshotStore,
    private readonly userTokens: UserTokens,
    private readonly gatewayTokens: GatewayTokens,
    private readonly refused: RefusedCallers,
  ) {}

  /**
   * `resource`: path of the MCP endpoint to which the request came, empty for one written in another way, null for every other route; only there the gateway's own tokens
   * count. Throws a `PlatformError` of the catalog's caller family. A credential that is no good is never taken for none.
   */
  async authenticate(
    headers: DistinctHeaders,
    runKind: CallerContext['runKind'],
    resource: string | null = null,
  ): Promise<Principal> {
    const credential = presentedCredential(headers);
    switch (credential.kind) {
      case 'conflict':
        throw new PlatformError('credentials_conflict');
      case 'unreadable':
        throw new PlatformError('unauthenticated');
      case 'none':
        this.#refuseWithoutToken(resource);
        return this.#anonymous(runKind);
      case 'virtual_key':
        this.#refuseWithoutToken(resource);
        return this.#virtualKey(credential.key, runKind);
      case 'user_token':
        return this.#token(credential.jwt, runKind, resource);
    }
  }

  /** Whether a principal that was authenticated before may go on. */
  isStillValid(principal: Principal): boolean {
    const { caller } = principal;
    if (principal.userToken) return this.userTokens.isStillValid(principal);
    if (principal.oauthGrant) return this.gatewayTokens.isStillValid(principal);
    if (caller.virtualKeyId === null) return !this.config.isAuthEnforced;
    const { virtualKeysById, inactiveUsers } = this.snapshots.current();
    if (caller.userId !== null && inactiveUsers.has(caller.userId)) return false;
    const key = virtualKeysById.get(caller.virtualKeyId);
    return key !== undefined && virtualKeyStatus(key, Date.now()) === 'ok';
  }

  #anonymous(runKind: CallerContext['runKind']): Principal {
    if (this.config.isAuthEnforced) throw new PlatformError('unauthenticated');
    return principalOf(anonymousCaller(this.snapshots.current(), runKind));
  }

  async #virtualKey(key: string, runKind: CallerContext['runKind']): Promise<Principal> {
    const judge = () => authenticateVirtualKey(this.snapshots.current(), key, Date.now(), runKind);
    let verdict = judge();
    if (verdict.status === 'unknown') {
      // It may have been made a moment ago. Looks are shared: guessers cost one small query at a time.
      await this.snapshots.refresh();
      verdict = judge();
    }
    if (verdict.status !== 'ok') throw new PlatformError(refusals[verdict.status]);
    const { userId } = verdict.caller;
    if (userId !== null && this.snapshots.current().inactiveUsers.has(userId))
      throw new PlatformError('user_inactive');
    return principalOf(verdict.caller);
  }

  #refuseWithoutToken(resource: string | null): void {
    if (resource === null || this.config.oauth.mode !== 'oauth') return;
    throw new PlatformError('unauthenticated', { message: 'This endpoint takes OAuth tokens alone.' });
  }

  /** Who issued it decides how it is judged, once: a refused one is not tried as anything else. */
  async #token(jwt: string, runKind: CallerContext['runKind'], resource: string | null): Promise<Principal> {
    try {
      if (!this.gatewayTokens.isOurs(jwt)) return await this.userTokens.authenticate(jwt, runKind);
      if (resource !== null) return await this.gatewayTokens.authenticate(jwt, resource, runKind);
      throw new PlatformError('unauthenticated', { message: 'The token is for /mcp alone.' });
    } catch (thrown) {
      if (thrown instanceof PlatformError && errorCatalog[thrown.code].family === 'caller')
        this.refused.note(thrown.code, runKind, this.#organizationMeant(jwt));
      throw thrown;
    }
  }

  #organizationMeant(jwt: string): string | null {
    return this.gatewayTokens.organizationMeant(jwt) ?? this.userTokens.organizationMeant(jwt);
  }
}
