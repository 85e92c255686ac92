import type { ServerResponse } from 'node:http';

/** A client that reads so slowly that this much waits for it is cut off. */
const maxBufferedBytes = 8 * 1024 * 1024;

/** Server-sent events on one response: JSON-RPC messages, and comments while there are none. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #keepAlive: NodeJS.Timeout;

  constructor(response: ServerResponse, options: { keepAliveMs: number; headers?: Record<string, string> }) {
    this.#response = response;
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...options.headers,
    });
    response.flushHeaders();
    this.#keepAlive = setInterval(() => this.#write(': keep-alive\n\n'), options.keepAliveMs);
    response.once('close', () => clearInterval(this.#keepAlive));
  }

  /** Sends a message's JSON text, which holds no line break. */
  send(text: string, event = 'message'): void {
    this.#write(`event: ${event}\ndata: ${text}\n\n`);
  }

  end(): void {
    clearInterval(this.#keepAlive);
    if (!this.#response.writableEnded) this.#response.end();
  }

  #write(frame: string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.write(frame);
    if (this.#response.writableLength > maxBufferedBytes) this.#response.destroy();
  }
}
