import { Injectable } from '@nestjs/common';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; from a call answered out of memory to a slow vendor. */
const latencyBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** A metric's description. Names end in their unit (`_seconds`, `_bytes`, `_total`). */
export type MetricOptions<L extends string> = { name: string; help: string; labelNames?: L[] };

/** The metrics of this process, on `/metrics`. Asking for a name again gives the same metric. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  counter<L extends string>(options: MetricOptions<L>): Counter<L> {
    return this.#find<Counter<L>>(options.name) ?? new Counter({ ...this.#defaults(options) });
  }

  /** `collect` runs before each scrape, for values that are cheaper to read than to keep. */
  gauge<L extends string>(
    options: MetricOptions<L> & { collect?: (this: Gauge<L>) => void | Promise<void> },
  ): Gauge<L> {
    return this.#find<Gauge<L>>(options.name) ?? new Gauge({ ...options, ...this.#defaults(options) });
  }

  /** In seconds unless `buckets` says otherwise. */
  histogram<L extends string>(options: MetricOptions<L> & { buckets?: number[] }): Histogram<L> {
    const buckets = options.buckets ?? latencyBuckets;
    return this.#find<Histogram<L>>(options.name) ?? new Histogram({ ...this.#defaults(options), buckets });
  }

  #find<M>(name: string): M | undefined {
    return this.registry.getSingleMetric(name) as M | undefined;
  }

  #defaults<L extends string>(options: MetricOptions<L>) {
    return {
      name: options.name,
      help: options.help,
      labelNames: options.labelNames ?? [],
      registers: [this.registry],
    };
  }
}
