import {
  type Attributes,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

/** What a span starts with. `parent` is a W3C `traceparent` from another process; without it the current span is the parent. */
export type SpanOptions = { attributes?: Attributes; parent?: string };

/** Runs `fn` inside a span of that name. A throw marks the span as failed and passes on. Attributes must hold no secret. */
export async function inSpan<T>(
  name: string,
  options: SpanOptions,
  fn: (span: Span) => Promise<T> | T,
): Promise<T> {
  const parent = options.parent
    ? propagation.extract(ROOT_CONTEXT, { traceparent: options.parent })
    : context.active();
  return trace
    .getTracer('switchyard')
    .startActiveSpan(name, { attributes: options.attributes }, parent, async (span) => {
      try {
        return await fn(span);
      } catch (error) {
        span.setStatus({
          code: SpanStatusCode.ERROR,
          message: error instanceof Error ? error.name : 'error',
        });
        throw error;
      } finally {
        span.end();
      }
    });
}

/** The `traceparent` to hand on from here; undefined outside of every span. */
export function currentTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** The id of the trace from here, as 32 hex digits; undefined outside of every span. */
export function currentTraceId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId;
}
