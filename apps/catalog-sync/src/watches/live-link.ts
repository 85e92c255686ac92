import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import type { UpstreamLink } from '../upstreams/upstream-link.js';
import type { UpstreamsService } from '../upstreams/upstreams.service.js';

export type LinkEvents = {
  /** The upstream's tools may have changed; also after each opening, for nobody listened before. */
  changed(): void;
  /** The link ended by itself. */
  ended(): void;
  /** A resource changed to which the link is subscribed. */
  updated(uri: string): void;
};

/** Less is not worth a second try within one check. */
const leastMs = 100;

/** The one link to an upstream that a watch keeps open. */
export class LiveLink {
  #link: UpstreamLink | null = null;
  #generation = 0;
  #wanted: readonly string[] = [];

  constructor(
    private readonly upstreams: Pick<UpstreamsService, 'open'>,
    private readonly events: LinkEvents,
  ) {}

  get isOpen(): boolean {
    return this.#link !== null;
  }

  /**
   * Resolves when the upstream answered within the time, over the open link or, where that one is broken or there is
   * none, over a new one: a server that restarted is well. Throws an `AttemptError`.
   */
  async probe(integration: SyncedIntegration, timeoutMs: number): Promise<void> {
    const endsAt = Date.now() + timeoutMs;
    if (this.#link) {
      const broken = await failureOf(this.#link.ping(timeoutMs));
      if (broken === undefined) return;
      this.drop();
      if (endsAt - Date.now() < leastMs) throw broken;
    }
    await this.#open(integration, endsAt);
  }

  /** The resources to whose updates somebody is subscribed; also of every link that is opened later. */
  want(uris: readonly string[]): void {
    if (uris.join('\n') === this.#wanted.join('\n')) return;
    this.#wanted = uris;
    this.#subscribe();
  }

  /** Ends the link without waiting for it. */
  drop(): void {
    void this.close();
  }

  async close(): Promise<void> {
    this.#generation += 1;
    const link = this.#link;
    this.#link = null;
    await link?.close().catch(() => undefined);
  }

  async #open(integration: SyncedIntegration, endsAt: number): Promise<void> {
    const generation = this.#generation;
    const link = await this.upstreams.open(integration, {
      timeoutMs: Math.max(leastMs, endsAt - Date.now()),
    });
    const failure = await failureOf(link.ping(Math.max(leastMs, endsAt - Date.now())));
    // Dropped or closed while it was being opened: nobody wants it any more.
    if (failure !== undefined || generation !== this.#generation) {
      void link.close().catch(() => undefined);
      if (failure !== undefined) throw failure;
      return;
    }
    this.#link = link;
    link.onListsChanged(() => this.events.changed());
    link.onResourceUpdated((uri) => this.events.updated(uri));
    link.onClose(() => this.#ended(link));
    if (this.#wanted.length > 0) this.#subscribe();
    this.events.changed();
  }

  /** A credential that cannot be leased now fails the next check too; the link is then opened anew, and subscribes. */
  #subscribe(): void {
    void this.#link?.subscribe(this.#wanted).catch(() => undefined);
  }

  #ended(link: UpstreamLink): void {
    if (this.#link !== link) return;
    this.drop();
    this.events.ended();
  }
}

async function failureOf(work: Promise<void>): Promise<unknown> {
  return work.then(
    () => undefined,
    (failure: unknown) => failure,
  );
}
