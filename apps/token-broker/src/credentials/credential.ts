import type { CredentialState } from '@switchyard/contracts';

/** A stored credential without its secrets. `userId` null: the integration's own. */
export type Credential = {
  readonly id: string;
  readonly orgId: string;
  readonly integrationId: string;
  readonly userId: string | null;
  readonly kind: 'oauth' | 'headers';
  readonly issuer: string | null;
  readonly resource: string | null;
  /** Where its tokens may be sent. */
  readonly serverUrl: string | null;
  readonly tokenEndpoint: string | null;
  readonly clientId: string | null;
  readonly grantedScopes: readonly string[];
  readonly neededScopes: readonly string[];
  readonly hasRefreshToken: boolean;
  readonly expiresAt: Date | null;
  readonly state: CredentialState;
  readonly stateReason: string | null;
  readonly stateBefore: CredentialState | null;
  readonly stateSince: Date;
  readonly version: number;
  readonly failures: number;
  readonly coolDownUntil: Date | null;
  readonly consentGrantedAt: Date | null;
  readonly consentGrantedBy: string | null;
  readonly lastUsedAt: Date | null;
  readonly lastRefreshedAt: Date | null;
  readonly createdAt: Date;
};

/** Its secrets, in clear: only ever in memory. */
export type CredentialSecrets = {
  readonly accessToken: string | null;
  readonly refreshToken: string | null;
  readonly headers: Readonly<Record<string, string>> | null;
};

/** What is stored of the secrets. */
export type SealedSecrets = {
  readonly dataKeyId: string | null;
  readonly accessToken: Buffer | null;
  readonly refreshToken: Buffer | null;
  readonly headers: Buffer | null;
};

export type CredentialRow = { readonly credential: Credential; readonly sealed: SealedSecrets };

/** Whose credential for which integration. */
export type CredentialOwner = {
  readonly orgId: string;
  readonly integrationId: string;
  readonly userId: string | null;
};

/** Names this very token, and gives nothing of it away. */
export function credentialTag({ id, version }: Pick<Credential, 'id' | 'version'>): string {
  return `${id}.${version}`;
}

/** Whose credential it is, for the pool of upstream sessions. */
export function principalOf({ id }: Pick<Credential, 'id'>): string {
  return `credential-${id}`;
}

/** What a row that was orphaned would be if its user were back: access is judged by whoever leases. */
export function liveState({
  state,
  stateBefore,
}: Pick<Credential, 'state' | 'stateBefore'>): CredentialState {
  return state === 'orphaned' ? (stateBefore ?? 'active') : state;
}
