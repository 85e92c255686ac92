import type { Client } from '@modelcontextprotocol/client';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const ACK_TIMEOUT_MS = 15_000;

/**
 * Tells when the upstream's tools may have changed. A legacy server says so on its standing stream, which the
 * transport keeps open; a modern one on a subscription, which is opened with the first listener, and again when it ends.
 */
export class ToolsChanged {
  private readonly listeners: (() => void)[] = [];
  private readonly closing = new AbortController();
  private listening = false;

  constructor(private readonly client: Client) {
    client.setNotificationHandler('notifications/tools/list_changed', () => this.tell());
  }

  add(listener: () => void): void {
    this.listeners.push(listener);
    if (this.client.getProtocolEra() !== 'modern' || this.listening) return;
    if (!this.client.getServerCapabilities()?.tools?.listChanged) return;
    this.listening = true;
    void this.listen();
  }

  /** Also when a stream was opened again: what was said in between was missed. */
  tell(): void {
    for (const listener of this.listeners) listener();
  }

  close(): void {
    this.closing.abort();
  }

  private async listen(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0, opened = 0; !signal.aborted;) {
      try {
        const subscription = await this.client.listen(
          { toolsListChanged: true },
          { timeout: ACK_TIMEOUT_MS, signal },
        );
        failures = 0;
        if (++opened > 1) this.tell();
        await Promise.race([subscription.closed, aborted(signal)]);
      } catch {
        failures++;
      }
      await pause(Math.min(FIRST_DELAY_MS * 2 ** failures, MAX_DELAY_MS), signal);
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    new Promise<void>((resolve) => (timer = setTimeout(resolve, ms).unref())),
    aborted(signal),
  ]);
  clearTimeout(timer);
}
