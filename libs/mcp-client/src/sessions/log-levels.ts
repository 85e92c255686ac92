import type { ClientSide } from '@switchyard/contracts';

export type LogLevel = NonNullable<ClientSide['logLevel']>;

const levels: readonly string[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/** Whether a message of the level is wanted by who asked for messages from `lowest` on. An unknown level is. */
export function isLoggedAt(level: string, lowest: LogLevel): boolean {
  const rank = levels.indexOf(level);
  return rank < 0 || rank >= levels.indexOf(lowest);
}
