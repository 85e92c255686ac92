import { Injectable } from '@nestjs/common';
import { Metrics } from '@switchyard/service-kit';

/** `await` is the queue, the worker and the upstream together; `total` is all of a call. */
type Step = 'resolve' | 'validate' | 'accept' | 'await' | 'total';

/** Of which face and era an event stream is. */
export type StreamEra = 'legacy' | 'modern' | 'bff';

/** What the gateway counts. Labels are few and known: nothing of callers or tools. */
@Injectable()
export class GatewayMetrics {
  readonly #calls;
  readonly #steps;
  readonly #streams;

  constructor(metrics: Metrics) {
    this.#calls = metrics.counter({
      name: 'gateway_calls_total',
      help: 'Tool calls by face and by how they ended.',
      labelNames: ['face', 'outcome'],
    });
    this.#steps = metrics.histogram({
      name: 'gateway_call_step_seconds',
      help: 'Time that the steps of a tool call take.',
      labelNames: ['step'],
    });
    this.#streams = metrics.gauge({
      name: 'gateway_open_streams',
      help: 'Event streams that clients hold open.',
      labelNames: ['era'],
    });
  }

  callEnded(face: string, outcome: string): void {
    this.#calls.inc({ face, outcome });
  }

  streamOpened(era: StreamEra): void {
    this.#streams.inc({ era });
  }

  streamClosed(era: StreamEra): void {
    this.#streams.dec({ era });
  }

  async step<T>(step: Step, fn: () => Promise<T>): Promise<T> {
    const end = this.#steps.startTimer({ step });
    return fn().finally(end);
  }

  stepSync<T>(step: Step, fn: () => T): T {
    const end = this.#steps.startTimer({ step });
    try {
      return fn();
    } finally {
      end();
    }
  }
}
