import type { Log } from '@switchyard/service-kit';
import type { HealthSettings } from '../config.js';
import type { SyncedIntegration } from '../integrations/integrations.repository.js';
import type { ChecksService } from '../states/checks.service.js';
import { AttemptError, type Failure } from '../states/failure.js';
import type { Standing } from '../states/next-standing.js';
import type { UpstreamsService } from '../upstreams/upstreams.service.js';
import { untilNextCheckMs } from './check-phase.js';
import type { Gate } from './gate.js';
import { LiveLink } from './live-link.js';
import type { SyncRequestsService } from './sync-requests.service.js';
import { type SyncFacts, WantedSync } from './wanted-sync.js';

export type WatchParts = {
  readonly upstreams: Pick<UpstreamsService, 'open'>;
  readonly checks: Pick<ChecksService, 'passed' | 'failed'>;
  readonly syncRequests: Pick<SyncRequestsService, 'changed'>;
  readonly resourceUpdated: (integrationId: string, uri: string) => void;
  readonly gate: Gate;
  readonly settings: HealthSettings;
  readonly log: Log;
};

export type WatchedStanding = Pick<Standing, 'state' | 'consecutiveFailures' | 'lastFailure'> & SyncFacts;

const quickDelaysMs = [100, 300, 1_000, 2_000];

/**
 * Watches one integration while its tools are served: holds a live session that hears of changes, and checks it once
 * per interval. A session that ends is looked after at once; what those extra checks find counts only when they pass,
 * so that a server that restarts is not disconnected by our own haste.
 */
export class IntegrationWatch {
  readonly #link: LiveLink;
  readonly #wanted: WantedSync;
  #integration: SyncedIntegration;
  #standing: WatchedStanding;
  #regular: NodeJS.Timeout | undefined;
  #quick: NodeJS.Timeout | undefined;
  #checking: Promise<Failure | null> | undefined;
  #isWatching = false;
  #heardAt = 0;

  constructor(
    private readonly parts: WatchParts,
    integration: SyncedIntegration,
    standing: WatchedStanding,
  ) {
    this.#integration = integration;
    this.#standing = standing;
    this.#wanted = new WantedSync(
      () => parts.syncRequests.changed(this.#integration),
      () => this.#standing,
      (err) =>
        parts.log.warn({ err, slug: this.#integration.slug }, 'a sync was not enqueued; it will be again'),
    );
    this.#link = new LiveLink(parts.upstreams, {
      changed: () => this.#wanted.notice(),
      ended: () => this.#checkSoon(0),
      updated: (uri) => parts.resourceUpdated(this.#integration.id, uri),
    });
    this.#follow();
  }

  get integration(): SyncedIntegration {
    return this.#integration;
  }

  get standing(): WatchedStanding {
    return this.#standing;
  }

  /** What the registry and the catalog say now. An edited integration is connected anew. */
  update(integration: SyncedIntegration, standing: WatchedStanding): void {
    const isEdited = integration.version !== this.#integration.version;
    this.#integration = integration;
    this.#standing = standing;
    if (isEdited) this.#link.drop();
    this.#follow();
    this.#wanted.remind();
    if (isEdited && this.#isWatching) this.#checkSoon(0);
  }

  /** The resources to whose updates somebody is subscribed. */
  want(uris: readonly string[]): void {
    this.#link.want(uris);
  }

  /** A call was answered: as good as a check. */
  heard(at: number): void {
    // Another host's clock may be ahead: a call of tomorrow must not silence the checks until then.
    this.#heardAt = Math.max(this.#heardAt, Math.min(at, Date.now()));
    if (this.#isFresh()) void this.#passed();
  }

  async stop(): Promise<void> {
    this.#rest();
    await this.#link.close();
  }

  #follow(): void {
    const { state } = this.#standing;
    const isServed = state === 'connected' || state === 'unstable';
    if (isServed === this.#isWatching) return;
    if (!isServed) return this.#rest();
    this.#isWatching = true;
    this.#planRegular();
    this.#checkSoon(0);
  }

  #rest(): void {
    this.#isWatching = false;
    clearTimeout(this.#regular);
    clearTimeout(this.#quick);
    this.#wanted.stop();
    this.#link.drop();
  }

  #planRegular(): void {
    clearTimeout(this.#regular);
    const delayMs = untilNextCheckMs(this.#integration.id, this.parts.settings.intervalMs, Date.now());
    this.#regular = setTimeout(() => void this.#checkRegularly(), delayMs);
  }

  /** Beside the regular checks, which go on; after the last round they are left alone. */
  #checkSoon(round: number): void {
    const delayMs = quickDelaysMs[round];
    if (!this.#isWatching || delayMs === undefined) return;
    clearTimeout(this.#quick);
    this.#quick = setTimeout(() => void this.#checkQuickly(round), delayMs);
  }

  async #checkQuickly(round: number): Promise<void> {
    const failure = await this.#check();
    if (failure) this.#checkSoon(round + 1);
  }

  async #checkRegularly(): Promise<void> {
    this.#planRegular();
    const isFresh = this.#isFresh();
    // Calls that are answered say that the upstream is well; without a link we would not hear of changes all the same.
    if (isFresh && !this.#link.isOpen) this.#checkSoon(0);
    const failure = isFresh ? await this.#passed() : await this.#check();
    if (!failure || failure.isOurs || !this.#isWatching) return;
    this.parts.log.info({ slug: this.#integration.slug, failure }, 'a check failed');
    await this.#record(() => this.parts.checks.failed(this.#integration, failure));
  }

  #isFresh(): boolean {
    return this.#heardAt > Date.now() - this.parts.settings.intervalMs;
  }

  /** Null when the check passed. One at a time: who comes while one is under way shares its result. */
  #check(): Promise<Failure | null> {
    this.#checking ??= this.#checkNow().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  async #checkNow(): Promise<Failure | null> {
    try {
      await this.parts.gate.run(() => this.#probe());
      return await this.#passed();
    } catch (thrown) {
      if (thrown instanceof AttemptError) return thrown.failure;
      this.parts.log.error({ err: thrown }, 'a check broke');
      return null;
    }
  }

  async #probe(): Promise<void> {
    if (this.#isWatching) await this.#link.probe(this.#integration, this.parts.settings.timeoutMs);
  }

  async #passed(): Promise<null> {
    if (this.#isWatching && this.#isTroubled())
      await this.#record(() => this.parts.checks.passed(this.#integration));
    return null;
  }

  /** Whether a passed check would be news to the catalog. */
  #isTroubled(): boolean {
    const { state, consecutiveFailures, lastFailure } = this.#standing;
    return (
      state === 'unstable' ||
      consecutiveFailures > 0 ||
      lastFailure?.stage === 'ping' ||
      lastFailure?.stage === 'connect'
    );
  }

  async #record(write: () => Promise<Standing | null>): Promise<void> {
    try {
      const standing = await write();
      if (!standing) return;
      this.#standing = { ...this.#standing, ...standing };
      this.#follow();
    } catch (err) {
      this.parts.log.warn({ err, slug: this.#integration.slug }, 'a check was not recorded');
    }
  }
}
