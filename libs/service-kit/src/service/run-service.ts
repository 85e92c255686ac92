import type { Log } from '../logs/log.js';
import { createLogger } from '../logs/log.js';
import { type RunningService, type ServiceOptions, startService } from './start-service.js';

const drainLimitMs = 25_000;
/** Without its supervisor a service has no stores to finish its work with. */
const orphanLimitMs = 5_000;

/** What a service tells the supervisor that forked it. */
export type ReadyMessage = { ready: true; name: string; httpPort?: number; opsPort: number };

/**
 * Runs a service as this process, for `main.ts`: starts it, tells a supervisor over IPC that it is ready, drains on
 * SIGTERM (and Ctrl-C) and exits with 0; with 1 when it cannot start, when draining takes more than 25 s, or
 * after an uncaught error. A forked service also ends when its supervisor is gone.
 */
export async function runService(options: ServiceOptions): Promise<RunningService> {
  const log = createLogger(options.config.name, { level: options.config.logLevel });
  process.on('uncaughtException', (err) => exitAfter(log, err, 'uncaught error'));
  const service = await startService(options).catch((err: unknown) =>
    exitAfter(log, err, 'the service cannot start'),
  );
  const end = endOnce(service, log);
  if (process.send) followSupervisor(service, options.config.name, end);
  else
    for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => end(signal, drainLimitMs));
  process.on('SIGTERM', () => end('SIGTERM', drainLimitMs));
  log.info({ httpPort: service.httpPort, opsPort: service.opsPort }, 'ready');
  return service;
}

/** Ctrl-C reaches every process of a terminal: a supervised service leaves it to its supervisor to end it. */
function followSupervisor(
  service: RunningService,
  name: string,
  end: (why: string, limitMs: number) => void,
): void {
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('disconnect', () => end('the supervisor is gone', orphanLimitMs));
  const message: ReadyMessage = { ready: true, name, httpPort: service.httpPort, opsPort: service.opsPort };
  process.send?.(
    message,
    undefined,
    undefined,
    (error) => error && end('the supervisor is gone', orphanLimitMs),
  );
}

function endOnce(service: RunningService, log: Log): (why: string, limitMs: number) => void {
  let ending = false;
  return (why, limitMs) => {
    if (ending) return;
    ending = true;
    log.info({ why }, 'draining');
    setTimeout(
      () => exitAfter(log, new Error(`draining took more than ${limitMs} ms`), 'draining was cut off'),
      limitMs,
    );
    service.close().then(
      () => exit(log, 0),
      (err: unknown) => exitAfter(log, err, 'draining failed'),
    );
  };
}

function exitAfter(log: Log, err: unknown, what: string): never {
  log.fatal({ err }, what);
  return exit(log, 1);
}

function exit(log: Log, code: number): never {
  log.flush();
  process.exit(code);
}
