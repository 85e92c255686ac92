import { eventually } from '@switchyard/testing';
import { type Answer, ask } from './http.js';
import { bearer } from './mcp-rpc.js';

export type PendingApproval = {
  readonly type: string;
  readonly approval_id: string;
  readonly tool: string;
  readonly arguments: Record<string, unknown>;
};
export type ChatAnswer = {
  readonly run_id: string;
  readonly conversation_id: string;
  readonly status: string;
  readonly output: { readonly text?: string } | null;
  readonly pending: readonly PendingApproval[];
};

/** A piece of `ai`'s UI message stream. */
export type ChatPart = {
  readonly type: string;
  readonly delta?: string;
  readonly data?: Record<string, unknown>;
  readonly messageMetadata?: { readonly run_id?: string; readonly status?: string };
};

/** A user who chats, by their own token. */
export class ChatUser {
  constructor(
    private readonly origin: string,
    readonly token: string,
  ) {}

  send<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    return ask<T>(new URL(path, this.origin), { method, body, headers: bearer(this.token) });
  }

  /** Says something and waits for the answer, or for what the run waits for. The agent may be of a moment ago. */
  async say(agent: string, message: string, fields: Record<string, unknown> = {}): Promise<ChatAnswer> {
    const body = { agent, message, stream: false, ...fields };
    return eventually(async () => {
      const answer = await this.send<ChatAnswer>('POST', '/api/chat', body);
      if (answer.status !== 200) throw new Error(`${agent}: ${answer.status} ${answer.text}`);
      return answer.body;
    });
  }

  /** The same as a stream, which is read on in the background. */
  async stream(agent: string, message: string): Promise<ChatStream> {
    return eventually(async () => {
      const response = await fetch(new URL('/api/chat', this.origin), {
        method: 'POST',
        headers: { ...bearer(this.token), 'content-type': 'application/json' },
        body: JSON.stringify({ agent, message }),
      });
      if (response.status !== 200) throw new Error(`${agent}: ${response.status} ${await response.text()}`);
      return new ChatStream(response);
    });
  }
}

/** An answer as it comes. */
export class ChatStream {
  readonly parts: ChatPart[] = [];
  /** Once the server has ended it. */
  readonly ended: Promise<void>;

  constructor(response: Response) {
    this.ended = this.#read(response);
    this.ended.catch(() => undefined);
  }

  /** Waits for a part of the type. */
  async until(type: string): Promise<ChatPart> {
    return eventually(() => {
      const found = this.parts.find((part) => part.type === type);
      if (!found) throw new Error(`no ${type}: ${JSON.stringify(this.parts)}`);
      return found;
    });
  }

  /** What the agent has said. */
  text(): string {
    return this.parts.map((part) => (part.type === 'text-delta' ? part.delta : '')).join('');
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) this.#take(frame);
    }
  }

  #take(frame: string): void {
    const data = /^data: (.*)$/m.exec(frame)?.[1];
    if (data !== undefined && data !== '[DONE]') this.parts.push(JSON.parse(data) as ChatPart);
  }
}
