import type { IntegrationRecord } from '@switchyard/access';
import {
  callerMetaKey,
  LOCAL_KIND,
  PlatformError,
  toPlatformError,
  stdioQueue,
  type StdioAnswer,
  type StdioRequest,
  type ToolCallEvent,
  type UpstreamFailure,
} from '@switchyard/contracts';
import { whyNotStarted } from '@switchyard/local-tools';
import {
  collectFeatures,
  UpstreamError,
  UpstreamSession,
  type EgressPolicy,
  type StdioCommand,
} from '@switchyard/mcp-client';
import type { Consumer, JobContext, QueueClient } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import type { LeaseClient } from '../leases/lease-client.js';
import { ActiveClock } from '../questions/active-clock.js';
import type { CallQuestions } from '../questions/call-questions.js';
import { halfOf, type Place } from '../questions/places.js';
import { clientListeners } from '../upstreams/client-side.js';

export type StdioParts = {
  queue: QueueClient;
  leases: LeaseClient;
  egress: EgressPolicy;
  questions: CallQuestions;
  log: Log;
  /** The allow-list's command for the integration; throws `stdio_not_allowed`. */
  commandOf: (integration: IntegrationRecord) => StdioCommand;
  /** The child said that one of its lists changed. */
  onListsChanged: (integration: IntegrationRecord) => void;
  onResourceUpdated: (integration: IntegrationRecord, uri: string) => void;
  /** The child's process began or ended. */
  onProcess: () => void;
  onStopped: (child: StdioChild) => void;
  connectTimeoutMs: number;
  /** How long a call that ended unanswered keeps the child from asking anybody; then it is replaced where nothing runs. */
  strayMs: number;
};

/** A process that has been greeted as an MCP server, and since when. */
export type ChildProcess = { readonly pid: number; readonly startedAt: Date };

type Call = Extract<StdioRequest, { op: 'call' }>;

const defaultConcurrency = 32;
const subscribeMs = 5_000;
/** For calls that fail when the process is ended under them: they are answered before the consumer gives up. */
const lastAnswersMs = 5_000;

/**
 * Declared once for the child, which all callers share: what a call's own client did not declare is refused then. Not
 * `roots`: a client's folders mean nothing to a process on our host.
 */
const capabilities = { elicitation: { form: {}, url: {} }, sampling: {} };

/** The one child of a stdio integration, and the consumer of its queue, for as long as this worker owns it. */
export class StdioChild {
  readonly connectionVersion: number;
  private session: Promise<UpstreamSession> | null = null;
  private running: ChildProcess | null = null;
  private wanted: readonly string[] = [];
  private readonly consumer: Consumer;
  /** Unsafe requests by id, until their deadline. */
  private readonly taken = new Map<string, number>();
  private readonly calls = new Map<string, { controller: AbortController; safe: boolean }>();
  private place: Place;
  private stopped = false;

  constructor(
    private integration: IntegrationRecord,
    private readonly parts: StdioParts,
  ) {
    this.connectionVersion = integration.connectionVersion;
    const concurrency = concurrencyOf(integration);
    this.place = placeOf(integration);
    this.consumer = parts.queue.consume(
      stdioQueue(integration.id),
      (request, ctx) => this.handle(request, ctx),
      { concurrency },
    );
  }

  get integrationId(): string {
    return this.integration.id;
  }

  /** Whether it has been ended, and takes nothing any more. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** Null while none runs: one is started by the next request. */
  get process(): ChildProcess | null {
    return this.running;
  }

  /** A change of the integration that its process does not depend on. */
  update(integration: IntegrationRecord): void {
    if (integration === this.integration) return;
    this.integration = integration;
    this.place = placeOf(integration);
    this.consumer.concurrency = concurrencyOf(integration);
  }

  /** The resources to whose updates somebody is subscribed; also of a child that is started later. */
  want(uris: readonly string[]): void {
    if (uris.join('\n') === this.wanted.join('\n')) return;
    this.wanted = uris;
    void this.session
      ?.then((session) => session.subscribe(uris, { timeoutMs: subscribeMs }))
      .catch(() => undefined);
  }

  /** The caller gave up: a safe call is aborted at the child. */
  cancel(callId: string): void {
    const call = this.calls.get(callId);
    if (call?.safe) call.controller.abort('cancelled');
  }

  /** Takes no more requests, lets those that run finish within the consumer's limit, and then ends the child. */
  async drain(): Promise<void> {
    await this.consumer.close();
    await this.stop();
  }

  /** As `drain`, but after `limitMs` calls that still run fail as sent and unanswered. */
  async retire(limitMs: number): Promise<void> {
    const timer = setTimeout(() => void this.endSession(), limitMs);
    await this.consumer.close({ limitMs: limitMs + lastAnswersMs });
    clearTimeout(timer);
    await this.stop();
  }

  /** Ends the child, its whole process group, at once: calls under way fail as sent and unanswered. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.endSession();
    await this.consumer.close();
    await this.endSession();
    this.parts.onStopped(this);
  }

  private async handle(request: StdioRequest, ctx: JobContext): Promise<StdioAnswer> {
    try {
      if (request.op === 'call') return await this.call(request, ctx);
      if (request.op === 'list') return await this.list(request.timeoutMs);
      if (request.op === 'restart') await this.endSession();
      const session = await this.connected();
      if (request.op === 'ping') await session.ping({ timeoutMs: request.timeoutMs });
      return { status: 'alive' };
    } catch (error) {
      if (error instanceof UpstreamError)
        return { status: 'failed', failure: this.failureOf(error, request) };
      const { code, message } = toPlatformError(error);
      if (code === 'internal') this.parts.log.error({ err: error }, 'a stdio request failed');
      return { status: 'failed', failure: { failureClass: 'not_sent', error: { code, message } } };
    }
  }

  /** Why local tools do not start is told to their admin; to callers a path on our disk says nothing. */
  private failureOf({ failure, diagnostic }: UpstreamError, { op }: StdioRequest): UpstreamFailure {
    const why = this.integration.kind === LOCAL_KIND ? whyNotStarted(diagnostic) : undefined;
    if (why === undefined) return failure;
    this.parts.log.error({ why }, 'the local tools do not start');
    if (op === 'call') return failure;
    const { error } = failure;
    return { ...failure, error: { ...error, details: { ...error.details, upstream_message: why } } };
  }

  private async call(request: Call, ctx: JobContext): Promise<StdioAnswer> {
    const timeoutMs = request.deadlineAt - Date.now();
    if (timeoutMs <= 0) throw new PlatformError('deadline_exceeded');
    if (!request.safe && (ctx.redelivered || this.wasTaken(ctx.correlationId, request.deadlineAt)))
      throw lost();
    await this.leaveStrays();
    const session = await this.connected();
    return this.callWithin(request, ctx, { session, timeoutMs });
  }

  private async callWithin(
    request: Call,
    ctx: JobContext,
    { session, timeoutMs }: { session: UpstreamSession; timeoutMs: number },
  ): Promise<StdioAnswer> {
    const { callId, method, tool: name, meta, resume, client, deadlineAt, caller } = request;
    const isLocal = this.integration.kind === LOCAL_KIND;
    const controller = new AbortController();
    const limits = { activeUntil: request.activeUntil ?? deadlineAt, deadlineAt };
    const clock = new ActiveClock(limits, () => controller.abort(timedOut()));
    this.calls.set(callId, { controller, safe: request.safe });
    this.parts.questions.begin(callId, clock, [this.place]);
    const emit = (event: ToolCallEvent): void => ctx.emit(event);
    try {
      const result = await session.call({
        ...{ method, name, arguments: request.arguments, meta, resume, timeoutMs },
        ownMeta: isLocal && caller ? { [callerMetaKey]: caller } : undefined,
        signal: controller.signal,
        onProgress: request.progress ? (progress) => emit({ kind: 'progress', ...progress }) : undefined,
        ...clientListeners(this.parts.questions, { callId, client, emit }),
      });
      return { status: 'called', result };
    } catch (error) {
      throw error instanceof UpstreamError ? error : lost(error);
    } finally {
      this.parts.questions.end(callId);
      clock.stop();
      this.calls.delete(callId);
    }
  }

  /** A genuine job that somebody put into the store again runs no unsafe tool a second time. */
  private wasTaken(id: string, deadlineAt: number): boolean {
    const now = Date.now();
    for (const [known, until] of this.taken) if (until < now) this.taken.delete(known);
    if (this.taken.has(id)) return true;
    this.taken.set(id, deadlineAt);
    return false;
  }

  private async list(timeoutMs: number): Promise<StdioAnswer> {
    const session = await this.connected();
    const tools = await session.listTools({ timeoutMs });
    const features = await collectFeatures(session, { timeoutMs });
    return { status: 'listed', tools, upstream: session.upstream, features };
  }

  /** The child's session; started on first use, and anew after the child has died. Callers at once share one start. */
  private connected(): Promise<UpstreamSession> {
    if (this.session) return this.session;
    const connecting = this.connect();
    const forget = (): void => {
      if (this.session === connecting) this.session = null;
    };
    this.session = connecting;
    connecting.then((session) => session.onClose(forget), forget);
    return connecting;
  }

  /**
   * A server that heeds a cancellation answers nothing any more, so that it would never be known to be done with the call,
   * and could ask nobody for as long as it lives.
   */
  private async leaveStrays(): Promise<void> {
    const asked = this.session;
    const strayAt = (await asked?.catch(() => null))?.lastStrayAt ?? null;
    if (strayAt === null || Date.now() - strayAt < this.parts.strayMs) return;
    if (this.calls.size > 0 || this.session !== asked) return;
    this.session = null;
    void asked?.then((session) => session.close());
  }

  private async connect(): Promise<UpstreamSession> {
    const { integration, parts } = this;
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
    session.onListsChanged(() => parts.onListsChanged(this.integration));
    session.onResourceUpdated((uri) => parts.onResourceUpdated(this.integration, uri));
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

  private async endSession(): Promise<void> {
    const ending = this.session;
    this.session = null;
    await (await ending?.catch(() => null))?.close();
  }
}

function concurrencyOf({ maxConcurrency }: IntegrationRecord): number {
  return maxConcurrency ?? defaultConcurrency;
}

function placeOf(integration: IntegrationRecord): Place {
  const most = halfOf(concurrencyOf(integration));
  return { key: `child ${integration.id}`, most, what: 'of this server' };
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

/** As a signal that timed out says it. */
function timedOut(): DOMException {
  return new DOMException('the time of the call is over', 'TimeoutError');
}

function lost(cause?: unknown): UpstreamError {
  const error = new PlatformError('upstream_unreachable', {
    message: 'The stdio server ended while it ran the call.',
    cause,
  });
  return new UpstreamError({ failureClass: 'sent_no_answer', error: error.toInfo() });
}
