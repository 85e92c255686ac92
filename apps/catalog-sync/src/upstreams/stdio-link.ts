import { randomUUID } from 'node:crypto';
import {
  PlatformError,
  type StdioAnswer,
  type StdioRequest,
  stdioPriority,
  stdioQueue,
  toPlatformError,
} from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import { describeFailure } from '../states/describe-failure.js';
import { AttemptError, type Failure } from '../states/failure.js';
import type { Listed, ListOptions, UpstreamLink } from './upstream-link.js';

/** For the way to the owner and back, beyond what the child itself may take. */
const queueMs = 1_000;
const restartMs = 15_000;

type Question = {
  stage: Failure['stage'];
  request: StdioRequest;
  priority: number;
  timeoutMs: number;
  signal?: AbortSignal;
};

/** A child over stdio, which the dispatch worker that owns it lists and pings for us. */
export class StdioLink implements UpstreamLink {
  constructor(
    private readonly queue: QueueClient,
    private readonly integrationId: string,
  ) {}

  async list({ timeoutMs, signal }: ListOptions): Promise<Listed> {
    const request = { v: 1, op: 'list', timeoutMs } as const;
    const answer = await this.#ask({
      stage: 'list',
      request,
      priority: stdioPriority.list,
      timeoutMs,
      signal,
    });
    if (answer.status !== 'listed') throw unexpected('list', answer);
    return answer;
  }

  async ping(timeoutMs: number): Promise<void> {
    const request = { v: 1, op: 'ping', timeoutMs } as const;
    await this.#ask({ stage: 'ping', request, priority: stdioPriority.ping, timeoutMs });
  }

  /** Ends the child and starts a new one. */
  async restart(signal?: AbortSignal): Promise<void> {
    await this.#ask({
      stage: 'connect',
      request: { v: 1, op: 'restart' },
      priority: stdioPriority.ping,
      timeoutMs: restartMs,
      signal,
    });
  }

  /** The owner of the child enqueues a sync itself, and tells of resources that changed. */
  onListsChanged(): void {}
  onResourceUpdated(): void {}
  async subscribe(): Promise<void> {}

  onClose(): void {}

  async close(): Promise<void> {}

  async #ask({ stage, request, priority, timeoutMs, signal }: Question): Promise<StdioAnswer> {
    const queue = stdioQueue(this.integrationId);
    const jobId = randomUUID();
    try {
      const answer = await this.queue.request(queue, request, {
        jobId,
        priority,
        timeoutMs: timeoutMs + queueMs,
        signal,
      });
      if (answer.status === 'failed')
        throw new AttemptError(describeFailure(answer.failure.error, { stage, secrets: [] }));
      return answer;
    } catch (thrown) {
      if (thrown instanceof AttemptError) throw thrown;
      // Nobody took it: without an owner, unanswered questions would pile up.
      await this.queue.remove(queue, jobId).catch(() => false);
      throw new AttemptError(describeFailure(toPlatformError(thrown).toInfo(), { stage, secrets: [] }), {
        cause: thrown,
      });
    }
  }
}

function unexpected(stage: Failure['stage'], answer: StdioAnswer): AttemptError {
  const error = new PlatformError('upstream_protocol_error', {
    message: `The owner of the child answered ${answer.status}.`,
  });
  return new AttemptError(describeFailure(error.toInfo(), { stage, secrets: [] }));
}
