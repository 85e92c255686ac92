import { eventually } from '@switchyard/testing';

export type ServerEvent = {
  readonly event: string;
  readonly data: Record<string, unknown>;
  readonly at: number;
};

/** A stream of server-sent events, read as a browser reads it. */
export class EventReader {
  readonly events: ServerEvent[] = [];
  readonly #stop = new AbortController();

  private constructor() {}

  static async open(url: string, headers: Record<string, string>): Promise<EventReader> {
    const reader = new EventReader();
    const response = await fetch(url, { headers, signal: reader.#stop.signal });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    void reader.#read(response).catch(() => undefined);
    return reader;
  }

  of(event: string): ServerEvent[] {
    return this.events.filter((one) => one.event === event);
  }

  /** Waits for an event of the name that fits. */
  async until(event: string, fits: (data: ServerEvent['data']) => boolean): Promise<ServerEvent> {
    return eventually(() => {
      const found = this.of(event).find(({ data }) => fits(data));
      if (!found) throw new Error(`no such ${event}: ${JSON.stringify(this.events).slice(0, 2_000)}`);
      return found;
    });
  }

  close(): void {
    this.#stop.abort();
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
    const event = /^event: (.*)$/m.exec(frame)?.[1];
    const data = /^data: (.*)$/m.exec(frame)?.[1];
    if (event !== undefined && data !== undefined)
      this.events.push({ event, data: JSON.parse(data), at: Date.now() });
  }
}

/** The names in a `tool_list`. */
export function namesIn({ tools }: ServerEvent['data']): string[] {
  return (tools as { name?: string; function?: { name: string } }[]).map(
    (tool) => tool.name ?? tool.function?.name ?? '',
  );
}
