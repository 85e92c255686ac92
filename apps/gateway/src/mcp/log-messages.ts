import type { ToolCallEvent } from '@switchyard/contracts';
import { isWanted, type LogLevel } from './client-side.js';
import type { CallExchange } from './upstream-call.js';

/** Hands an upstream's log messages to the client, from the level that it chose. */
export function logTo({ mcpReq }: CallExchange['context'], lowest: LogLevel | undefined) {
  return (event: ToolCallEvent): void => {
    if (event.kind !== 'log' || !isWanted(event.level, lowest)) return;
    const { kind: _, ...params } = event;
    mcpReq.notify({ method: 'notifications/message', params }).catch(() => undefined);
  };
}
