import { eventually } from '@switchyard/testing';
import { type Answer, ask } from './http.js';

export type CallView = {
  readonly call_id: string;
  readonly status: string;
  readonly result?: { content: { type: string; text?: string }[]; isError?: boolean } | null;
  readonly error?: { code: string; message: string } | null;
};

type Problem = { code?: string };
export type Accept = { deadlineMs?: number; idempotencyKey?: string };

type Page = { items: { status: string }[]; next_cursor: string | null };

const unended = ['accepted', 'queued', 'running'];
const ended = new Set(['completed', 'failed', 'cancelled', 'expired', 'denied', 'outcome_unknown']);

/** The async API, as a program with a virtual key uses it. */
export class ToolCallsApi {
  constructor(
    private readonly origin: () => string,
    readonly key: string,
  ) {}

  send(
    tool: string,
    args: object,
    { deadlineMs = 600_000, idempotencyKey }: Accept = {},
  ): Promise<Answer<CallView & Problem>> {
    return ask(new URL('/api/tool-calls', this.origin()), {
      body: { tool, arguments: args, deadline_ms: deadlineMs },
      headers: { ...this.#auth(), ...(idempotencyKey && { 'idempotency-key': idempotencyKey }) },
    });
  }

  /** The id of a call that must be accepted. */
  async accept(tool: string, args: object, options: Accept = {}): Promise<string> {
    const answer = await this.send(tool, args, options);
    if (answer.status !== 202) throw new Error(`${tool} was not accepted: ${answer.status} ${answer.text}`);
    return answer.body.call_id;
  }

  async get(callId: string): Promise<CallView> {
    const answer = await this.find(callId);
    if (answer.status !== 200) throw new Error(`call ${callId}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  find(callId: string): Promise<Answer<CallView & Problem>> {
    return ask(new URL(`/api/tool-calls/${callId}`, this.origin()), { headers: this.#auth() });
  }

  cancel(callId: string): Promise<Answer<CallView & Problem>> {
    return ask(new URL(`/api/tool-calls/${callId}/cancel`, this.origin()), {
      method: 'POST',
      headers: this.#auth(),
    });
  }

  /** How many calls of the key are in each state. */
  async countByStatus(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Page = await this.#page(cursor);
      for (const { status } of page.items) counts[status] = (counts[status] ?? 0) + 1;
      cursor = page.next_cursor;
    }
    return counts;
  }

  /** Whether no call of the key waits or runs any more. */
  async areAllEnded(): Promise<boolean> {
    const open = await Promise.all(unended.map((status) => this.#page('', { status, limit: '1' })));
    return open.every(({ items }) => items.length === 0);
  }

  /** Waits until the call has ended. */
  async untilEnded(callId: string, timeoutMs = 30_000): Promise<CallView> {
    return eventually(
      async () => {
        const call = await this.get(callId);
        if (!ended.has(call.status)) throw new Error(`call ${callId} is still ${call.status}`);
        return call;
      },
      { timeoutMs, intervalMs: 50 },
    );
  }

  async untilStatus(callId: string, status: string, timeoutMs = 15_000): Promise<CallView> {
    return eventually(
      async () => {
        const call = await this.get(callId);
        if (call.status !== status) throw new Error(`call ${callId} is ${call.status}`);
        return call;
      },
      { timeoutMs, intervalMs: 20 },
    );
  }

  async #page(cursor: string, filter: Record<string, string> = { limit: '200' }): Promise<Page> {
    const query = new URLSearchParams({ ...filter, ...(cursor && { cursor }) });
    const answer = await ask<Page>(new URL(`/api/tool-calls?${query}`, this.origin()), {
      headers: this.#auth(),
    });
    if (answer.status !== 200) throw new Error(`the list of calls: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  #auth(): Record<string, string> {
    return { authorization: `Bearer ${this.key}` };
  }
}
