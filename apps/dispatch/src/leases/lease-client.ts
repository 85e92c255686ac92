import {
  LeaseContent,
  PlatformError,
  PublicJwk,
  queues,
  type AuthPath,
  type LeaseAnswer,
  type LeaseRequest,
  type ToolCallJob,
} from '@switchyard/contracts';
import type { IntegrationRecord } from '@switchyard/access';
import type { QueueClient } from '@switchyard/queue';
import { compactDecrypt, exportJWK, generateKeyPair, type CryptoKey } from 'jose';
import { leaseKey } from './lease-key.js';

/** What a worker holds to call an upstream, in memory alone. */
export type Lease = {
  readonly headers: Record<string, string>;
  readonly env: Record<string, string>;
  readonly authPath: AuthPath;
  /** Whose credential it is: upstream sessions are pooled by it and never shared across it. */
  readonly principal: string;
  /** The broker's name for this very credential. */
  readonly credential: string;
};

/** For which call a lease is wanted: the call and the user's token that came with it; null for the integration itself. */
export type LeasedCall = Pick<ToolCallJob, 'sealed' | 'subjectToken'> | null;

/** What the upstream said of the lease that the call had before. */
export type LeaseComplaint = Pick<LeaseRequest, 'refused' | 'insufficientScopes'>;

type Wish = { integration: IntegrationRecord; call: LeasedCall; complaint: LeaseComplaint };
type Cached = { lease: Promise<Lease>; expiresAt: number };

const noComplaint: LeaseComplaint = { refused: null, insufficientScopes: null };
const emptyLease: Lease = { headers: {}, env: {}, authPath: 'none', principal: 'none', credential: 'none' };
/** A lease is not used in its last moments, so that it does not expire on its way. */
const safetyMs = 5_000;
const requestTimeoutMs = 15_000;

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
   * The lease for a call. After a complaint it is asked for anew, unless a newer one than the refused has come meanwhile.
   * Rejects with the broker's refusal, or with `dependency_unavailable` when the broker does not answer.
   */
  async lease(
    integration: IntegrationRecord,
    call: LeasedCall,
    complaint: LeaseComplaint = noComplaint,
  ): Promise<Lease> {
    if (needsNoSecret(integration)) return emptyLease;
    const key = leaseKey(integration, call?.sealed.call ?? null);
    return this.keptOrNew(key, { integration, call, complaint });
  }

  /** Between the look at what is kept and the new request nothing may wait: of many who complain of one lease, one asks. */
  private async keptOrNew(key: string, wish: Wish): Promise<Lease> {
    const cached = this.cache.get(key);
    const isFresh = cached !== undefined && cached.expiresAt > this.now();
    if (isFresh && !(await isOutOfDate(cached, wish.complaint))) return cached.lease;
    const newer = this.cache.get(key);
    if (newer && newer !== cached && !wish.complaint.insufficientScopes) return newer.lease;
    return this.renew(key, wish);
  }

  /** Forgets everything: what was taken back meanwhile may have been said while nobody heard. */
  forgetAll(): void {
    this.cache.clear();
  }

  /** Forgets what was leased for an integration: it was edited, or its credential revoked. */
  forget(integrationId: string): void {
    for (const key of this.cache.keys()) if (key.startsWith(`${integrationId}:`)) this.cache.delete(key);
  }

  private renew(key: string, wish: Wish): Promise<Lease> {
    const entry: Cached = { expiresAt: this.now() + requestTimeoutMs, lease: Promise.resolve(emptyLease) };
    entry.lease = this.request(wish.integration, wish.call, wish.complaint).then(({ lease, expiresAt }) => {
      entry.expiresAt = expiresAt - safetyMs;
      return lease;
    });
    entry.lease.catch(() => this.cache.get(key) === entry && this.cache.delete(key));
    this.cache.set(key, entry);
    return entry.lease;
  }

  private async request(integration: IntegrationRecord, call: LeasedCall, complaint: LeaseComplaint) {
    const { publicKey } = await this.keys;
    const { kty, crv, x, y } = await exportJWK(publicKey);
    const caller = call?.sealed.call.caller ?? null;
    const answer = await this.ask({
      v: 1 as const,
      orgId: caller?.orgId ?? integration.orgId,
      integrationId: integration.id,
      call: call?.sealed ?? null,
      caller,
      recipient: PublicJwk.parse({ kty, crv, x, y }),
      ...complaint,
      subjectToken: call?.subjectToken ?? null,
    });
    if (answer.status === 'refused') throw new LeaseRefused(answer);
    const { authPath, principal, credential, expiresAt } = answer;
    const lease: Lease = { ...(await this.open(answer.jwe)), authPath, principal, credential };
    return { lease, expiresAt };
  }

  private async ask(request: LeaseRequest): Promise<LeaseAnswer> {
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

/** The broker's refusal, with the path that the call would have taken. */
export class LeaseRefused extends PlatformError {
  readonly authPath: AuthPath;

  constructor({ error, authPath }: Extract<LeaseAnswer, { status: 'refused' }>) {
    super(error.code, { details: error.details, retryAfterMs: error.retryAfterMs });
    this.message = error.message;
    this.authPath = authPath;
  }
}

/** A lease that is still on its way is not the one of which the upstream complained. */
async function isOutOfDate(
  cached: Cached,
  { refused, insufficientScopes }: LeaseComplaint,
): Promise<boolean> {
  if (insufficientScopes) return true;
  if (!refused) return false;
  const lease = await cached.lease.catch(() => null);
  return lease?.credential === refused.credential;
}

function needsNoSecret({ authMode, headerNames, envNames }: IntegrationRecord): boolean {
  return authMode === 'none' && headerNames.length === 0 && envNames.length === 0;
}
