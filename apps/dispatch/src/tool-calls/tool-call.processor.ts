import { randomUUID } from 'node:crypto';
import {
  laneOf,
  toolCallQueue,
  type Lane,
  type ToolCallJob,
  type ToolCallOutcome,
} from '@switchyard/contracts';
import {
  verifyToolCall,
  type Consumer,
  type JobContext,
  type QueueClient,
  type Sealer,
} from '@switchyard/queue';
import { withLogContext, type Log } from '@switchyard/service-kit';
import { ended } from './outcomes.js';
import { hasSealedArguments, hasSealedResume } from './tool-resolver.js';
import type { Processed, ToolCallsService } from './tool-calls.service.js';

/** While the platform itself is broken, a ledger-first call waits this long for the next try. */
const brokenDelayMs = 2_000;

/** Takes the jobs of both lanes. Each lane has slots of its own, so that neither ever waits for the other. */
export class ToolCallProcessor {
  constructor(
    private readonly queue: QueueClient,
    private readonly sealer: Sealer,
    private readonly service: ToolCallsService,
    private readonly log: Log,
  ) {}

  start(concurrency: Record<Lane, number>): Consumer[] {
    return (['interactive', 'background'] as const).map((lane) =>
      this.queue.consume(toolCallQueue(lane), (job, ctx) => this.handle(job, ctx), {
        concurrency: concurrency[lane],
      }),
    );
  }

  private async handle(job: ToolCallJob, ctx: JobContext): Promise<ToolCallOutcome | void> {
    const { call } = job.sealed;
    return withLogContext({ callId: call.callId, integrationId: call.integrationId }, async () => {
      if (!this.isGenuine(job)) {
        this.log.error('a tool call without a valid seal was dropped');
        return;
      }
      const holder = randomUUID();
      try {
        return outcomeOf(await this.service.process(job, ctx, holder));
      } catch (err) {
        this.log.error({ err }, 'a tool call could not be processed');
        return this.giveBack(job, ctx, holder);
      }
    });
  }

  /** The envelope's seal is checked by the queue; this one is the accepting face's word on caller, call and arguments. */
  private isGenuine(job: ToolCallJob): boolean {
    const { call } = job.sealed;
    return (
      verifyToolCall(this.sealer, job.sealed) &&
      hasSealedArguments(call, job.arguments) &&
      hasSealedResume(call, job.resume) &&
      laneOf(call.caller.runKind) === call.lane
    );
  }

  /** What throws is a broken platform. An accepted call is never lost; a direct one is told at once. */
  private async giveBack(job: ToolCallJob, ctx: JobContext, heldBy: string): Promise<ToolCallOutcome | void> {
    const { call } = job.sealed;
    if (!call.ledgerFirst) return ended('failed', call.callId, { code: 'dependency_unavailable' });
    const next = { ...job, round: job.round + 1, heldBy };
    await ctx.requeue(next, { delayMs: brokenDelayMs, jobId: `${call.callId}-r${next.round}` });
  }
}

function outcomeOf(processed: Processed): ToolCallOutcome | void {
  return typeof processed === 'string' ? undefined : processed;
}
