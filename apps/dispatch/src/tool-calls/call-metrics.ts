import type { ToolCall, ToolCallOutcome } from '@switchyard/contracts';
import { currentTraceId, inSpan, type Metrics } from '@switchyard/service-kit';

export type CallStep = 'fence' | 'lease' | 'upstream' | 'record';

/** An answer counts as a health check; one word per integration in this time is enough. */
const answeredEveryMs = 3_000;

/** What the worker tells operators about its calls. */
export class CallMetrics {
  private readonly steps;
  private readonly calls;
  private readonly waits;
  private readonly totals;
  private readonly requeues;
  private readonly lastAnswer = new Map<string, number>();

  constructor(
    metrics: Metrics,
    private readonly tellAnswered: (integrationId: string) => void,
  ) {
    this.steps = metrics.histogram({
      name: 'switchyard_call_step_seconds',
      help: 'Time of each step of a tool call.',
      labelNames: ['step'],
    });
    this.calls = metrics.counter({
      name: 'switchyard_calls_total',
      help: 'Ended tool calls by lane and outcome.',
      labelNames: ['lane', 'outcome', 'code'],
    });
    this.waits = metrics.histogram({
      name: 'switchyard_call_queue_wait_seconds',
      help: 'Time from acceptance until a worker took the call.',
      labelNames: ['lane'],
    });
    this.totals = metrics.histogram({
      name: 'switchyard_call_seconds',
      help: 'Time from acceptance to the durable end.',
      labelNames: ['lane'],
    });
    this.requeues = metrics.counter({
      name: 'switchyard_calls_requeued_total',
      help: 'Calls that went back to their queue to wait.',
      labelNames: ['integration'],
    });
  }

  taken({ lane, acceptedAt }: ToolCall, now: number): void {
    this.waits.observe({ lane }, (now - acceptedAt) / 1000);
  }

  requeued(integration: string): void {
    this.requeues.inc({ integration });
  }

  ended({ lane, acceptedAt }: ToolCall, outcome: ToolCallOutcome, now: number): void {
    this.calls.inc({
      lane,
      outcome: outcome.status,
      code: outcome.status === 'completed' ? '' : outcome.error.code,
    });
    this.totals.observe({ lane }, (now - acceptedAt) / 1000);
  }

  /** Times a step and gives it a span. */
  async step<T>(step: CallStep, run: () => Promise<T>): Promise<T> {
    const stop = this.steps.startTimer({ step });
    try {
      return await inSpan(`tool-call ${step}`, {}, run);
    } finally {
      stop();
    }
  }

  upstreamAnswered(integrationId: string): void {
    const now = Date.now();
    if (now - (this.lastAnswer.get(integrationId) ?? 0) < answeredEveryMs) return;
    this.lastAnswer.set(integrationId, now);
    this.tellAnswered(integrationId);
  }

  traceId(): string | null {
    return currentTraceId() ?? null;
  }
}
