import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Sealer } from '../sealer.js';
import { Bus } from './bus.js';
import type { BusLink, LinkEvents } from './bus-link.js';

/** A store that somebody else reads and writes: every frame that passes is kept, and can be sent again. */
class TappedLink implements BusLink {
  readonly seen: string[] = [];
  #events: LinkEvents | undefined;

  open(events: LinkEvents): void {
    this.#events = events;
    events.up();
  }
  async send(channel: string, text: string): Promise<void> {
    this.seen.push(text);
    this.deliver(channel, text);
  }
  deliver(channel: string, text: string): void {
    this.#events?.frame(channel, text);
  }
  async listen(): Promise<void> {}
  async unlisten(): Promise<void> {}
  async close(): Promise<void> {}
  reset(): void {}
}

describe('a message that somebody kept', () => {
  afterEach(() => void jest.restoreAllMocks());

  it('is dropped when it is sent again later, where its age matters', async () => {
    const link = new TappedLink();
    const reports: string[] = [];
    const bus = new Bus(link, new Sealer('k'.repeat(40)), (error) => reports.push(String(error)));
    await bus.open(1_000);
    const heard: unknown[] = [];
    const answers: unknown[] = [];
    await bus.subscribe('topic', (message) => heard.push(message), { maxAgeMs: 120_000 });
    await bus.subscribe('topic', (message) => answers.push(message));
    await bus.publish('topic', 'reset');
    expect(heard).toEqual(['reset']);

    const now = Date.now();
    jest.spyOn(Date, 'now').mockReturnValue(now + 600_000);
    link.deliver('topic', link.seen[0] as string);
    expect([heard, answers]).toEqual([['reset'], ['reset', 'reset']]);
    expect(reports).toEqual([expect.stringMatching(/a message of 600 s ago was dropped on topic/)]);
    await bus.close();
  });
});
