import { trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger, pino } from 'pino';
import { logContext } from './log-context.js';
import { redactFields, scrub } from './redact.js';

/**
 * The logger, to be injected: pino's, as JSON lines on stdout. Every line has `service`, and inside a call `callId`
 * and `traceId`. Secrets are hidden by field name, by shape and by value (`Secret`).
 */
// The class is only the injection token of the interface.
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export abstract class Log {}
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging, @typescript-eslint/no-empty-object-type
export interface Log extends Logger {}

/** Makes the logger of a service, at the given level, onto stdout or `destination`. */
export function createLogger(
  service: string,
  options: { level?: string; destination?: DestinationStream } = {},
): Log {
  const settings = {
    base: { service },
    level: options.level ?? 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
    mixin: lineContext,
    formatters: { level: (label: string) => ({ level: label }), log: redactFields, bindings: redactFields },
    serializers: { err: (fields: unknown) => fields },
    hooks: { streamWrite: scrub },
  };
  return withCleanChildren(pino(settings, options.destination ?? stdout()));
}

let isGuarded = false;

/**
 * pino's own destination writes in a loop without end when the reader of stdout is gone (sonic-boom 4, `flushSync`
 * and EPIPE), and a service could not exit. Node's stdout writes to pipes and files at once, and just fails.
 */
function stdout(): DestinationStream {
  if (!isGuarded) process.stdout.on('error', () => undefined);
  isGuarded = true;
  return { write: (line) => void process.stdout.write(line) };
}

/** pino runs no formatter over the fields of child loggers. Children inherit this method, for pino makes them by prototype. */
function withCleanChildren(log: Logger): Logger {
  const child = log.child;
  log.child = function (this: Logger, bindings, childOptions) {
    return child.call(this, redactFields(bindings), childOptions);
  } as typeof child;
  return log;
}

function lineContext(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return { ...logContext(), ...(span && { traceId: span.traceId, spanId: span.spanId }) };
}
