import { createHash } from 'node:crypto';
import type { ChatRequest } from '../wire/chat-request.js';

/** A request that the model saw, without its credential. */
export type SeenRequest = {
  /** 1 for the first. */
  readonly number: number;
  readonly at: string;
  readonly model: string;
  readonly stream: boolean;
  readonly messages: readonly Record<string, unknown>[];
  readonly tools: readonly string[];
  /** Hex SHA-256 over messages and tools: a step that was asked twice has the same twice. */
  readonly digest: string;
  /** The script's turn that answered; null without a script, or where none applied. */
  turn: string | null;
  /** `client_left`: the asker closed the connection before the answer's end. */
  ended: 'open' | 'answered' | 'refused' | 'dropped' | 'client_left';
};

const mostKept = 20_000;

/** What the model saw, in order; the oldest go when there are too many. */
export class RequestLog {
  private seen: SeenRequest[] = [];
  private count = 0;

  add(request: ChatRequest): SeenRequest {
    const entry: SeenRequest = {
      number: ++this.count,
      at: new Date().toISOString(),
      model: request.model,
      stream: request.stream === true,
      messages: request.messages,
      tools: (request.tools ?? []).map((tool) => tool.function.name),
      digest: createHash('sha256')
        .update(JSON.stringify([request.messages, request.tools ?? []]))
        .digest('hex'),
      turn: null,
      ended: 'open',
    };
    this.seen.push(entry);
    if (this.seen.length > mostKept) this.seen.shift();
    return entry;
  }

  list(): readonly SeenRequest[] {
    return [...this.seen];
  }

  clear(): void {
    this.seen = [];
    this.count = 0;
  }
}
