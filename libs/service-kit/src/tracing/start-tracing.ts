import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
  ParentBasedSampler,
  AlwaysOnSampler,
} from '@opentelemetry/sdk-trace-node';

/**
 * Turns tracing on for this process: W3C trace context, kept over asynchronous calls. With `otlpEndpoint` spans are
 * exported; without, ids are still made and handed on, and nothing is recorded. Gives the function that flushes and ends it.
 */
export function startTracing(config: { name: string; otlpEndpoint?: string }): () => Promise<void> {
  const exporter = config.otlpEndpoint
    ? new OTLPTraceExporter({ url: `${config.otlpEndpoint.replace(/\/$/, '')}/v1/traces` })
    : undefined;
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({ 'service.name': config.name, 'service.namespace': 'switchyard' }),
    sampler: exporter ? new ParentBasedSampler({ root: new AlwaysOnSampler() }) : new AlwaysOffSampler(),
    spanProcessors: exporter ? [new BatchSpanProcessor(exporter)] : [],
  });
  provider.register();
  return () => provider.shutdown();
}
