import type { IntegrationRecord, Snapshot } from '@switchyard/access';
import type { Log } from '@switchyard/service-kit';
import type { ChildProcess } from './child-session.js';
import type { StdioChild } from './stdio-child.js';
import type { StdioOwnersRepository } from './stdio-owners.repository.js';

export type OwnershipSettings = { leaseMs: number; tickMs: number; heartbeatMs: number };

/** Shorter than catalog-sync waits for a list, so that the sync of the very edit finds the new process. */
const retireMs = 20_000;

/**
 * Keeps every stdio integration in the hands of exactly one worker of the fleet. A tick renews what this worker owns,
 * claims what nobody owns, up to its fair share, and lets go of what is no longer wanted. A child whose integration was
 * edited is replaced only where its process depends on the edit, and calls under way may end first.
 *
 * A worker that could not renew in time ends its children before its leases run out: better no child for a moment
 * than two.
 */
export class StdioOwnershipService {
  private readonly owned = new Map<string, StdioChild>();
  private readonly retiring = new WeakSet<StdioChild>();
  private timer: NodeJS.Timeout | undefined;
  private ticking: Promise<void> = Promise.resolve();
  private renewedAt = 0;
  private draining = false;

  constructor(
    private readonly repository: StdioOwnersRepository,
    private readonly snapshot: () => Snapshot,
    private readonly startChild: (integration: IntegrationRecord) => StdioChild,
    private readonly log: Log,
    private readonly settings: OwnershipSettings,
  ) {}

  start(): void {
    this.renewedAt = Date.now();
    this.timer = setInterval(() => this.tickSoon(), this.settings.tickMs);
    this.tickSoon();
  }

  /** Drains all children and gives their leases back. Until then they are renewed, and nothing new is claimed. */
  async stop(): Promise<void> {
    this.draining = true;
    await this.ticking;
    await Promise.all([...this.owned.values()].map((child) => child.drain()));
    clearInterval(this.timer);
    await this.ticking;
    await Promise.all([...this.owned.keys()].map((id) => this.letGo(id)));
  }

  /** Also called when the registry changed, so that edits and removals do not wait for the next tick. */
  tickSoon(): void {
    this.ticking = this.ticking
      .then(() => this.tick())
      .catch((err: unknown) => {
        this.log.warn({ err }, 'ownership of stdio children was not renewed');
        return this.endIfOverdue();
      });
  }

  /** A child's process began or ended: what the fleet is told of it does not wait for the next tick. */
  processChanged(): void {
    if (!this.draining) this.tickSoon();
  }

  private processes(): Map<string, ChildProcess> {
    const running = [...this.owned].flatMap(([id, { process }]) => (process ? [[id, process] as const] : []));
    return new Map(running);
  }

  private async tick(): Promise<void> {
    const asked = Date.now();
    const held = await this.repository.renew(this.processes());
    this.renewedAt = asked;
    const wanted = this.wanted();
    for (const [id, child] of this.owned) {
      const integration = wanted.get(id);
      if (!held.has(id) || !integration || child.isStopped) await this.letGo(id);
      else if (integration.connectionVersion === child.connectionVersion) child.update(integration);
      else this.retire(child);
    }
    await this.claim(
      [...wanted.keys()].filter((id) => !this.owned.has(id)),
      wanted,
    );
  }

  private async claim(ids: string[], wanted: Map<string, IntegrationRecord>): Promise<void> {
    if (ids.length === 0 || this.draining) return;
    const share = Math.ceil(wanted.size / (await this.repository.liveWorkers(this.settings.heartbeatMs)));
    const room = share - this.owned.size;
    if (room <= 0) return;
    for (const id of await this.repository.claim(ids, room)) {
      const integration = wanted.get(id);
      if (integration) this.owned.set(id, this.startChild(integration));
    }
  }

  /** The lease stays until the old process is gone; the tick after that gives it back and starts the new one. */
  private retire(child: StdioChild): void {
    if (this.retiring.has(child)) return;
    this.retiring.add(child);
    void child
      .retire(retireMs)
      .catch((err: unknown) => this.log.warn({ err }, 'a stdio child was not ended cleanly'))
      .then(() => this.tickSoon());
  }

  private async endIfOverdue(): Promise<void> {
    if (Date.now() - this.renewedAt < this.settings.leaseMs * 0.7) return;
    await Promise.all([...this.owned.values()].map((child) => child.stop()));
    this.owned.clear();
  }

  private async letGo(id: string): Promise<void> {
    const child = this.owned.get(id);
    this.owned.delete(id);
    await child?.stop();
    await this.repository
      .release(id)
      .catch((err: unknown) => this.log.warn({ err }, 'a lease on a stdio child was not given back'));
  }

  private wanted(): Map<string, IntegrationRecord> {
    const all = [...this.snapshot().integrations.values()];
    return new Map(
      all
        .filter(({ enabled, transport }) => enabled && transport.type === 'stdio')
        .map((one) => [one.id, one]),
    );
  }
}
