import { setTimeout as delay } from 'node:timers/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** How requests to come are to be mistreated. */
export type Fault = {
  /** How many requests; 1 by default. */
  count?: number;
  /** Only requests of this JSON-RPC method. */
  method?: string;
  /** Answers with this status instead of handling the request. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Waits before it answers. */
  delayMs?: number;
  /** Answers with this JSON-RPC message, whatever it is, instead of handling the request. */
  respond?: (request: { id?: unknown; method?: string; params?: Record<string, unknown> }) => unknown;
  /**
   * Drops the socket: once the request is read, after it was handled (the tool ran, the answer is lost), or after the
   * beginning of the answer.
   */
  drop?: 'unhandled' | 'handled' | 'mid-answer';
};

type Message = { id?: unknown; method?: string; params?: Record<string, unknown> };

/** The faults that wait for their request. */
export class Faults {
  private waiting: (Fault & { left: number })[] = [];

  add(fault: Fault): void {
    this.waiting.push({ ...fault, left: fault.count ?? 1 });
  }

  clear(): void {
    this.waiting = [];
  }

  /** Mistreats the request if it is one's turn. Returns whether it is dealt with. */
  async apply(req: IncomingMessage, res: ServerResponse, body: unknown): Promise<boolean> {
    const fault = this.take(req, body);
    if (!fault) return false;
    if (fault.delayMs) await delay(fault.delayMs);
    if (fault.drop) return dropSocket(fault.drop, req, res);
    if (fault.respond) {
      const answer = JSON.stringify(fault.respond((body ?? {}) as Message));
      res
        .writeHead(fault.status ?? 200, { 'content-type': 'application/json', ...fault.headers })
        .end(answer);
      return true;
    }
    res.writeHead(fault.status ?? 500, fault.headers).end(fault.body ?? '');
    return true;
  }

  private take(req: IncomingMessage, body: unknown): Fault | undefined {
    if (req.method !== 'POST') return undefined;
    const { method } = (body ?? {}) as Message;
    const fault = this.waiting.find((one) => one.left > 0 && (!one.method || one.method === method));
    if (fault) fault.left--;
    this.waiting = this.waiting.filter((one) => one.left > 0);
    return fault;
  }
}

function dropSocket(when: NonNullable<Fault['drop']>, req: IncomingMessage, res: ServerResponse): boolean {
  if (when === 'unhandled') {
    req.socket.destroy();
    return true;
  }
  const write = res.write.bind(res);
  const drop = (chunk?: unknown): boolean => {
    if (when === 'mid-answer' && chunk) write(String(chunk).slice(0, 10), () => req.socket.destroy());
    else req.socket.destroy();
    return true;
  };
  res.write = drop as typeof res.write;
  res.end = ((chunk?: unknown) => {
    drop(chunk);
    return res;
  }) as typeof res.end;
  return false;
}
