import { until } from './gateway-client-spec.js';

export type ServerEvent = { readonly event: string; readonly data: any };

/** A stream of server-sent events, read as a browser reads it. */
export class EventReader {
  readonly events: ServerEvent[] = [];
  isOver = false;

  private constructor(
    readonly response: Response,
    private readonly stop: AbortController,
  ) {}

  static async open(url: string, headers: Record<string, string>): Promise<EventReader> {
    const stop = new AbortController();
    const response = await fetch(url, { headers, signal: stop.signal });
    const reader = new EventReader(response, stop);
    if (response.ok) void reader.#read();
    return reader;
  }

  of(event: string): ServerEvent['data'][] {
    return this.events.filter((one) => one.event === event).map(({ data }) => data);
  }

  /** Waits for the nth event of the name. */
  async next(event: string, count = 1): Promise<any> {
    await until(() => {
      if (this.of(event).length < count) throw new Error(`no ${event} yet: ${JSON.stringify(this.events)}`);
    });
    return this.of(event)[count - 1];
  }

  close(): void {
    this.stop.abort();
  }

  async #read(): Promise<void> {
    let text = '';
    try {
      for await (const chunk of this.response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        const frames = text.split('\n\n');
        text = frames.pop() ?? '';
        for (const frame of frames) this.#take(frame);
      }
    } catch {
      // closed by us, or cut off
    }
    this.isOver = true;
  }

  #take(frame: string): void {
    const event = /^event: (.*)$/m.exec(frame)?.[1];
    const data = /^data: (.*)$/m.exec(frame)?.[1];
    if (event !== undefined && data !== undefined) this.events.push({ event, data: JSON.parse(data) });
  }
}
