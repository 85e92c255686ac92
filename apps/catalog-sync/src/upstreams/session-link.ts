import { toPlatformError } from '@switchyard/contracts';
import { type EgressPolicy, UpstreamError, UpstreamSession, collectFeatures } from '@switchyard/mcp-client';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import { describeFailure } from '../states/describe-failure.js';
import { AttemptError, type Failure } from '../states/failure.js';
import type { DiscoveryCredential } from './discovery-credential.js';
import type { Listed, ListOptions, UpstreamLink } from './upstream-link.js';

export type SessionOptions = {
  readonly credential: DiscoveryCredential;
  readonly egress: EgressPolicy;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
};

const subscribeMs = 5_000;

/** A session with an upstream over HTTP or SSE. */
export class SessionLink implements UpstreamLink {
  private constructor(
    private readonly session: UpstreamSession,
    private readonly credential: DiscoveryCredential,
  ) {}

  static async open(
    { id, transport }: SyncedIntegration,
    { credential, ...options }: SessionOptions,
  ): Promise<SessionLink> {
    const session = await attempt('connect', credential, (headers) =>
      UpstreamSession.connect({ integrationId: id, transport, headers }, options),
    );
    return new SessionLink(session, credential);
  }

  async list(options: ListOptions): Promise<Listed> {
    const tools = await this.#attempt('list', () => this.session.listTools(options));
    // After the tools, whose failure is the sync's: that of these is only noted.
    const features = await collectFeatures(this.session, options);
    return { tools, upstream: this.session.upstream, features };
  }

  async ping(timeoutMs: number): Promise<void> {
    await this.#attempt('ping', () => this.session.ping({ timeoutMs }));
  }

  onListsChanged(listener: () => void): void {
    this.session.onListsChanged(listener);
  }

  onResourceUpdated(listener: (uri: string) => void): void {
    this.session.onResourceUpdated(listener);
  }

  async subscribe(uris: readonly string[]): Promise<void> {
    this.session.useHeaders(await this.credential.headers());
    await this.session.subscribe(uris, { timeoutMs: subscribeMs });
  }

  onClose(listener: () => void): void {
    this.session.onClose(listener);
  }

  async close(): Promise<void> {
    await this.session.close();
  }

  #attempt<T>(stage: Failure['stage'], work: () => Promise<T>): Promise<T> {
    return attempt(stage, this.credential, (headers) => {
      this.session.useHeaders(headers);
      return work();
    });
  }
}

/** Tries with the credential's headers, and once more with others when these are refused. */
async function attempt<T>(
  stage: Failure['stage'],
  credential: DiscoveryCredential,
  work: (headers: Record<string, string>) => Promise<T>,
): Promise<T> {
  const headers = await credential.headers();
  try {
    return await work(headers);
  } catch (refused) {
    const others = isRefusal(refused) ? await credential.renewed() : undefined;
    if (!others) throw described(stage, credential, refused);
    return work(others).catch((cause: unknown) => {
      throw described(stage, credential, cause);
    });
  }
}

function isRefusal(cause: unknown): boolean {
  if (!(cause instanceof UpstreamError)) return false;
  const { code, details } = cause.failure.error;
  return code === 'upstream_denied' && details?.['upstream_status'] === 401;
}

function described(stage: Failure['stage'], { secrets }: DiscoveryCredential, cause: unknown): AttemptError {
  const error = cause instanceof UpstreamError ? cause.failure.error : toPlatformError(cause).toInfo();
  return new AttemptError(describeFailure(error, { stage, secrets }), { cause });
}
