import type { LoggerService } from '@nestjs/common';
import type { Log } from './log.js';

/** Nest's own messages as lines of our log. What Nest calls `log` (each route, each module) is `debug` here. */
export function nestLogger(log: Log): LoggerService {
  const write =
    (level: 'debug' | 'warn' | 'error' | 'fatal') =>
    (message: unknown, ...rest: unknown[]) => {
      const error = [message, ...rest].find((part) => part instanceof Error);
      log[level](
        { nest: rest.at(-1), ...(error && { err: error }) },
        String(message instanceof Error ? message.message : message),
      );
    };
  return {
    log: write('debug'),
    verbose: write('debug'),
    debug: write('debug'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
  };
}
