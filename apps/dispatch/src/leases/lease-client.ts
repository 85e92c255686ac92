import {
  LeaseContent,
  PlatformError,
  PublicJwk,
  queues,
  type AuthPath,
  type LeaseAnswer,
  type SealedToolCall,
} from '@switchyard/contracts';
import type { IntegrationRecord } from '@switchyard/access';
import type { QueueClient } from '@switchyard/queue';
import { compactDecrypt, exportJWK, generateKeyPair, type CryptoKey } from 'jose';

/** What a worker holds to call an upstream, in memory alone. */
export type Lease = {
  readonly headers: Record<string, string>;
  readonly env: Record<string, string>;
  readonly authPath: AuthPath;
  /** Whose credential it is: upstream sessions are pooled by it and never shared across it. */
  readonly principal: string;
};

type Cached = { lease: Promise<Lease>; expiresAt: number };

const emptyLease: Lease = { headers: {}, env: {}, authPath: 'none', principal: 'none' };
/** A lease is not used in its last moments, so that it does not expire on its way. */
const safetyMs = 5_000;
const requestTimeoutMs = 8_000;

/**
 * Asks the token broker for leases and keeps them until shortly before they expire. Answers are sealed to a key that
 * this process made for itself and never writes anywhere (`architecture.md`, "Secrets").
 */
export class LeaseClient {
  private readonly cache = new Map<string, Cached>();
  private readonly keys = generateKeyPair('ECDH-ES', { crv: 'P-256' });

  constructor(
    private readonly queue: QueueClient,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * The lease for a call, or with `call` null for the integration itself (the owner of a stdio child starts it).
   * `forceRefresh` asks anew after the upstream refused the last one. Rejects with the broker's refusal, or with
   * `dependency_unavailable` when the broker does not answer.
   */
  async lease(
    integration: IntegrationRecord,
    call: SealedToolCall | null,
    forceRefresh = false,
  ): Promise<Lease> {
    if (needsNoSecret(integration)) return emptyLease;
    const key = `${integration.id}:${integration.version}:${principalOf(integration)}`;
    const cached = this.cache.get(key);
    if (cached && !forceRefresh && cached.expiresAt > this.now()) return cached.lease;
    const entry: Cached = { expiresAt: this.now() + requestTimeoutMs, lease: Promise.resolve(emptyLease) };
    entry.lease = this.request(integration, call, forceRefresh).then(({ lease, expiresAt }) => {
      entry.expiresAt = expiresAt - safetyMs;
      return lease;
    });
    entry.lease.catch(() => this.cache.get(key) === entry && this.cache.delete(key));
    this.cache.set(key, entry);
    return entry.lease;
  }

  /** Forgets what was leased for an integration: it was edited, or its credential revoked. */
  forget(integrationId: string): void {
    for (const key of this.cache.keys()) if (key.startsWith(`${integrationId}:`)) this.cache.delete(key);
  }

  private async request(integration: IntegrationRecord, call: SealedToolCall | null, forceRefresh: boolean) {
    const { publicKey } = await this.keys;
    const { kty, crv, x, y } = await exportJWK(publicKey);
    const answer = await this.ask({
      v: 1 as const,
      orgId: call?.call.caller.orgId ?? integration.orgId,
      integrationId: integration.id,
      call,
      caller: call?.call.caller ?? null,
      recipient: PublicJwk.parse({ kty, crv, x, y }),
      forceRefresh,
    });
    if (answer.status === 'refused') throw PlatformError.fromInfo(answer.error);
    const { headers, env } = await this.open(answer.jwe);
    const lease: Lease = { headers, env, authPath: answer.authPath, principal: principalOf(integration) };
    return { lease, expiresAt: answer.expiresAt };
  }

  private async ask(
    request: Parameters<typeof this.queue.request<typeof queues.tokenLeases>>[1],
  ): Promise<LeaseAnswer> {
    try {
      return await this.queue.request(queues.tokenLeases, request, { timeoutMs: requestTimeoutMs });
    } catch (cause) {
      throw new PlatformError('dependency_unavailable', {
        message: 'The token broker did not answer.',
        cause,
      });
    }
  }

  private async open(jwe: string): Promise<LeaseContent> {
    const { privateKey } = (await this.keys) as { privateKey: CryptoKey };
    const { plaintext } = await compactDecrypt(jwe, privateKey, {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return LeaseContent.parse(JSON.parse(new TextDecoder().decode(plaintext)));
  }
}

function needsNoSecret({ authMode, headerNames, envNames }: IntegrationRecord): boolean {
  return authMode === 'none' && headerNames.length === 0 && envNames.length === 0;
}

/** Static credentials belong to the integration; modes that act for a user will name the user here. */
function principalOf(integration: IntegrationRecord): string {
  return integration.authMode === 'none' || integration.authMode === 'headers'
    ? 'static'
    : integration.authMode;
}
