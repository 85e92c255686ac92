import { AsyncLocalStorage } from 'node:async_hooks';

/** Fields that every log line inside `withLogContext` carries. */
export type LogContext = {
  callId?: string;
  runId?: string;
  requestId?: string;
  integrationId?: string;
  jobId?: string;
};

const storage = new AsyncLocalStorage<LogContext>();

/** Runs `fn`; every log line from inside, however deep, carries `context` beside that of the callers. */
export function withLogContext<T>(context: LogContext, fn: () => T): T {
  return storage.run({ ...storage.getStore(), ...context }, fn);
}

/** The context of the caller, empty outside of `withLogContext`. */
export function logContext(): LogContext {
  return storage.getStore() ?? {};
}
