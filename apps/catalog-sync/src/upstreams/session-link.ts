import { toPlatformError } from '@switchyard/contracts';
import { type EgressPolicy, UpstreamError, UpstreamSession } from '@switchyard/mcp-client';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import { describeFailure } from '../states/describe-failure.js';
import { AttemptError, type Failure } from '../states/failure.js';
import type { Listed, ListOptions, UpstreamLink } from './upstream-link.js';

export type SessionOptions = {
  readonly headers: Record<string, string>;
  readonly egress: EgressPolicy;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
};

/** A session with an upstream over HTTP or SSE. */
export class SessionLink implements UpstreamLink {
  private constructor(
    private readonly session: UpstreamSession,
    private readonly secrets: readonly string[],
  ) {}

  static async open(
    { id, transport }: SyncedIntegration,
    { headers, ...options }: SessionOptions,
  ): Promise<SessionLink> {
    const secrets = Object.values(headers);
    const session = await attempt('connect', secrets, () =>
      UpstreamSession.connect({ integrationId: id, transport, headers }, options),
    );
    return new SessionLink(session, secrets);
  }

  async list(options: ListOptions): Promise<Listed> {
    const tools = await attempt('list', this.secrets, () => this.session.listTools(options));
    return { tools, upstream: this.session.upstream };
  }

  async ping(timeoutMs: number): Promise<void> {
    await attempt('ping', this.secrets, () => this.session.ping({ timeoutMs }));
  }

  onToolsChanged(listener: () => void): void {
    this.session.onToolsChanged(listener);
  }

  onClose(listener: () => void): void {
    this.session.onClose(listener);
  }

  async close(): Promise<void> {
    await this.session.close();
  }
}

async function attempt<T>(
  stage: Failure['stage'],
  secrets: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const error = cause instanceof UpstreamError ? cause.failure.error : toPlatformError(cause).toInfo();
    throw new AttemptError(describeFailure(error, { stage, secrets }), { cause });
  }
}
