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
import { collectFeatures, UpstreamError, type UpstreamSession } from '@switchyard/mcp-client';
import type { Consumer, JobContext, QueueClient } from '@switchyard/queue';
import type { Log } from '@switchyard/service-kit';
import { ActiveClock } from '../questions/active-clock.js';
import type { CallQuestions } from '../questions/call-questions.js';
import { halfOf, type Place } from '../questions/places.js';
import { clientListeners } from '../upstreams/client-side.js';
import { type ChildProcess, ChildSession, type ChildSessionParts } from './child-session.js';

export type StdioParts = ChildSessionParts & {
  queue: QueueClient;
  questions: CallQuestions;
  log: Log;
  onStopped: (child: StdioChild) => void;
};

type Call = Extract<StdioRequest, { op: 'call' }>;

const defaultConcurrency = 32;
/** For calls that fail when the process is ended under them: they are answered before the consumer gives up. */
const lastAnswersMs = 5_000;

/** The one child of a stdio integration, and the consumer of its queue, for as long as this worker owns it. */
export class StdioChild {
  readonly connectionVersion: number;
  private readonly session: ChildSession;
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
    this.session = new ChildSession(() => this.integration, parts);
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
    return this.session.process;
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
    this.session.want(uris);
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
    const timer = setTimeout(() => void this.session.end(), limitMs);
    await this.consumer.close({ limitMs: limitMs + lastAnswersMs });
    clearTimeout(timer);
    await this.stop();
  }

  /** Ends the child, its whole process group, at once: calls under way fail as sent and unanswered. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.session.end();
    await this.consumer.close();
    await this.session.end();
    this.parts.onStopped(this);
  }

  private async handle(request: StdioRequest, ctx: JobContext): Promise<StdioAnswer> {
    try {
      if (request.op === 'call') return await this.call(request, ctx);
      if (request.op === 'list') return await this.list(request.timeoutMs);
      if (request.op === 'restart') await this.session.end();
      const session = await this.session.connected();
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
    await this.session.leaveStrays(() => this.calls.size === 0);
    const session = await this.session.connected();
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
    const session = await this.session.connected();
    const tools = await session.listTools({ timeoutMs });
    const features = await collectFeatures(session, { timeoutMs });
    return { status: 'listed', tools, upstream: session.upstream, features };
  }
}

function concurrencyOf({ maxConcurrency }: IntegrationRecord): number {
  return maxConcurrency ?? defaultConcurrency;
}

function placeOf(integration: IntegrationRecord): Place {
  const most = halfOf(concurrencyOf(integration));
  return { key: `child ${integration.id}`, most, what: 'of this server' };
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
