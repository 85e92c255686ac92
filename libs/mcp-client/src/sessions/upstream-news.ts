import type { Client, McpSubscription, RequestOptions } from '@modelcontextprotocol/client';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const ACK_TIMEOUT_MS = 15_000;

const listsChanged = [
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
] as const;

/** Sends one request with these options. */
export type SendRequest = (work: (options: RequestOptions) => Promise<unknown>) => Promise<unknown>;

/**
 * Tells when the upstream's lists may have changed, and resources to which we are subscribed. A legacy server says so on
 * its standing stream, which the transport keeps open; a modern one on a subscription, which is opened with the first
 * listener, again when it ends, and anew when other resources are wanted.
 */
export class UpstreamNews {
  private readonly listListeners: (() => void)[] = [];
  private readonly resourceListeners: ((uri: string) => void)[] = [];
  private readonly closing = new AbortController();
  private subscribed: ReadonlySet<string> = new Set();
  private subscription: McpSubscription | undefined;
  private isListening = false;

  constructor(private readonly client: Client) {
    for (const method of listsChanged) client.setNotificationHandler(method, () => this.tell());
    client.setNotificationHandler('notifications/resources/updated', ({ params }) =>
      this.updated(params.uri),
    );
  }

  onListsChanged(listener: () => void): void {
    this.listListeners.push(listener);
    this.listenIfModern();
  }

  onResourceUpdated(listener: (uri: string) => void): void {
    this.resourceListeners.push(listener);
  }

  /** Subscribes to these resources and to no others, where the server can. */
  async subscribe(uris: readonly string[], send: SendRequest): Promise<void> {
    if (!this.client.getServerCapabilities()?.resources?.subscribe) return;
    const [before, wanted] = [this.subscribed, new Set(uris)];
    const added = [...wanted].filter((uri) => !before.has(uri));
    const removed = [...before].filter((uri) => !wanted.has(uri));
    if (added.length + removed.length === 0) return;
    this.subscribed = wanted;
    if (this.client.getProtocolEra() === 'modern') return this.relisten();
    for (const uri of removed)
      await send((options) => this.client.unsubscribeResource({ uri }, options)).catch(() => undefined);
    for (const uri of added)
      await send((options) => this.client.subscribeResource({ uri }, options)).catch(() => undefined);
  }

  /** A stream was opened again: what was said in between was missed. */
  missedSome(): void {
    this.tell();
    for (const uri of this.subscribed) this.updated(uri);
  }

  close(): void {
    this.closing.abort();
  }

  private tell(): void {
    for (const listener of this.listListeners) listener();
  }

  private updated(uri: string): void {
    for (const listener of this.resourceListeners) listener(uri);
  }

  private relisten(): void {
    this.listenIfModern();
    // Whoever listens opens the next one, with what is wanted now.
    void this.subscription?.close().catch(() => undefined);
  }

  private listenIfModern(): void {
    if (this.client.getProtocolEra() !== 'modern' || this.isListening || !this.filter()) return;
    this.isListening = true;
    void this.listen();
  }

  /** What to listen to; nothing where the server tells nothing. */
  private filter() {
    const { tools, prompts, resources } = this.client.getServerCapabilities() ?? {};
    const filter = {
      ...(tools?.listChanged && { toolsListChanged: true }),
      ...(prompts?.listChanged && { promptsListChanged: true }),
      ...(resources?.listChanged && { resourcesListChanged: true }),
      ...(this.subscribed.size > 0 && { resourceSubscriptions: [...this.subscribed] }),
    };
    return Object.keys(filter).length > 0 ? filter : undefined;
  }

  private async listen(): Promise<void> {
    const { signal } = this.closing;
    for (let failures = 0, wasOpen = false; !signal.aborted;) {
      let isOurs = false;
      const wanted = this.subscribed;
      try {
        this.subscription = await this.client.listen(this.filter() ?? {}, {
          timeout: ACK_TIMEOUT_MS,
          signal,
        });
        failures = 0;
        if (wasOpen) this.missedSome();
        wasOpen = true;
        // Others were wanted while it was being opened.
        if (wanted !== this.subscribed) this.relisten();
        isOurs = (await Promise.race([this.subscription.closed, aborted(signal)])) === 'local';
      } catch {
        failures++;
      }
      this.subscription = undefined;
      if (!isOurs) await pause(Math.min(FIRST_DELAY_MS * 2 ** failures, MAX_DELAY_MS), signal);
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
