import type { Client } from '@modelcontextprotocol/client';
import { isLoggedAt, type LogLevel } from './log-levels.js';

/**
 * The log level of a legacy session: one for all its calls, so the lowest that any of them wanted. A modern server is told
 * with each request.
 */
export class ServerLog {
  private level: LogLevel | undefined;

  constructor(private readonly client: Client) {}

  /** Asks the server for messages from this level on. A server that refuses logs what it likes. */
  async want(
    { logLevel = 'debug', timeoutMs }: { logLevel?: LogLevel; timeoutMs: number },
    signal: AbortSignal,
  ): Promise<void> {
    if (this.client.getProtocolEra() === 'modern' || !this.client.getServerCapabilities()?.logging) return;
    if (this.level && isLoggedAt(logLevel, this.level)) return;
    this.level = logLevel;
    const options = { timeout: Math.min(timeoutMs, SET_LEVEL_TIMEOUT_MS), signal };
    await this.client.setLoggingLevel(logLevel, options).catch(() => undefined);
  }
}

const SET_LEVEL_TIMEOUT_MS = 5_000;
