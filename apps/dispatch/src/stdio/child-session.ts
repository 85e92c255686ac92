import type { IntegrationRecord } from '@switchyard/access';
import { type EgressPolicy, type StdioCommand, UpstreamError, UpstreamSession } from '@switchyard/mcp-client';
import type { LeaseClient } from '../leases/lease-client.js';

export type ChildSessionParts = {
  leases: LeaseClient;
  egress: EgressPolicy;
  /** The allow-list's command for the integration; throws `stdio_not_allowed`. */
  commandOf: (integration: IntegrationRecord) => StdioCommand;
  /** The child said that one of its lists changed. */
  onListsChanged: (integration: IntegrationRecord) => void;
  onResourceUpdated: (integration: IntegrationRecord, uri: string) => void;
  /** The child's process began or ended. */
  onProcess: () => void;
  connectTimeoutMs: number;
  /** How long a call that ended unanswered keeps the child from asking anybody; then it is replaced where nothing runs. */
  strayMs: number;
};

/** A process that has been greeted as an MCP server, and since when. */
export type ChildProcess = { readonly pid: number; readonly startedAt: Date };

const subscribeMs = 5_000;

/**
 * Declared once for the child, which all callers share: what a call's own client did not declare is refused then. Not
 * `roots`: a client's folders mean nothing to a process on our host.
 */
const capabilities = { elicitation: { form: {}, url: {} }, sampling: {} };

/** The one session of a stdio integration's child: started on first use, and anew after the child has died. */
export class ChildSession {
  private session: Promise<UpstreamSession> | null = null;
  private running: ChildProcess | null = null;
  private wanted: readonly string[] = [];

  constructor(
    /** As it is now: what changes without a new process may have changed since the start. */
    private readonly integration: () => IntegrationRecord,
    private readonly parts: ChildSessionParts,
  ) {}

  /** Null while none runs. */
  get process(): ChildProcess | null {
    return this.running;
  }

  /** The resources to whose updates somebody is subscribed; also of a child that is started later. */
  want(uris: readonly string[]): void {
    if (uris.join('\n') === this.wanted.join('\n')) return;
    this.wanted = uris;
    void this.session
      ?.then((session) => session.subscribe(uris, { timeoutMs: subscribeMs }))
      .catch(() => undefined);
  }

  /** Callers at once share one start. */
  connected(): Promise<UpstreamSession> {
    if (this.session) return this.session;
    const connecting = this.connect();
    const forget = (): void => {
      if (this.session === connecting) this.session = null;
    };
    this.session = connecting;
    connecting.then((session) => session.onClose(forget), forget);
    return connecting;
  }

  /** Ends the child, its whole process group, at once. */
  async end(): Promise<void> {
    const ending = this.session;
    this.session = null;
    await (await ending?.catch(() => null))?.close();
  }

  /**
   * A server that heeds a cancellation answers nothing any more, so that it would never be known to be done with the call,
   * and could ask nobody for as long as it lives: where nothing runs, another takes its place.
   */
  async leaveStrays(isIdle: () => boolean): Promise<void> {
    const asked = this.session;
    const strayAt = (await asked?.catch(() => null))?.lastStrayAt ?? null;
    if (strayAt === null || Date.now() - strayAt < this.parts.strayMs) return;
    if (!isIdle() || this.session !== asked) return;
    this.session = null;
    void asked?.then((session) => session.close());
  }

  private async connect(): Promise<UpstreamSession> {
    const { parts } = this;
    const integration = this.integration();
    const stdioCommand = parts.commandOf(integration);
    const lease = await parts.leases.lease(integration, null);
    const session = await UpstreamSession.connect(
      {
        integrationId: integration.id,
        transport: integration.transport,
        headers: {},
        env: lease.env,
        stdioCommand,
      },
      { egress: parts.egress, timeoutMs: parts.connectTimeoutMs, capabilities },
    ).catch((error: unknown) => Promise.reject(notStarted(error)));
    session.onListsChanged(() => parts.onListsChanged(this.integration()));
    session.onResourceUpdated((uri) => parts.onResourceUpdated(this.integration(), uri));
    this.followProcess(session);
    void session.subscribe(this.wanted, { timeoutMs: subscribeMs });
    return session;
  }

  private followProcess(session: UpstreamSession): void {
    const { pid } = session;
    if (pid === null) return;
    const process = { pid, startedAt: new Date() };
    this.running = process;
    this.parts.onProcess();
    session.onClose(() => {
      // Another may run by now.
      if (this.running === process) this.running = null;
      this.parts.onProcess();
    });
  }
}

/** A command that is missing, ends at once or says nothing looks alike from here: who may mend it is told where to look. */
function notStarted(thrown: unknown): unknown {
  if (!(thrown instanceof UpstreamError) || thrown.failure.error.code !== 'upstream_unreachable')
    return thrown;
  const { failure, cause, diagnostic } = thrown;
  const message =
    'The stdio server did not start: check that its command exists and may be run, its arguments, and what it needs to run.';
  return new UpstreamError({ ...failure, error: { ...failure.error, message } }, { cause, diagnostic });
}
