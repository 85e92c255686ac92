import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { SnapshotStore } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { Shutdown } from '@switchyard/service-kit';
import { Authenticator } from '../auth/authenticator.service.js';
import { holderOf, type Principal } from '../auth/principal.js';
import { GATEWAY_CONFIG, type GatewayConfig } from '../config.js';
import { GatewayMetrics, type StreamEra } from '../gateway-metrics.js';
import type { CallerLeft } from '../tool-calls/prepared-call.js';
import { ToolsetDoors } from './toolset-doors.service.js';

const checkMs = 1_000;
const retryAfterMs = 5_000;

/** A token that ran out is followed by another one, whose caller may come back; any other end is one. */
type Close = (how: CallerLeft['how']) => void;
type Open = { readonly principal: Principal; readonly isStream: boolean; readonly close: Close };

/**
 * What clients hold open here: event streams, which are limited for each key and each user, however many tokens they
 * have, and requests that run. All of a credential is closed as soon as it is revoked or expires, or the toolset at whose
 * address it came is no longer its own, and all streams when this process drains.
 */
@Injectable()
export class OpenStreams implements OnModuleInit {
  readonly #open = new Map<string, { principal: Principal; entries: Set<Open> }>();
  readonly #streamsByHolder = new Map<string, number>();
  #streams = 0;
  #isDraining = false;

  constructor(
    private readonly authenticator: Authenticator,
    private readonly doors: ToolsetDoors,
    private readonly snapshots: SnapshotStore,
    private readonly metrics: GatewayMetrics,
    private readonly shutdown: Shutdown,
    @Inject(GATEWAY_CONFIG) private readonly config: Pick<GatewayConfig, 'streams'>,
  ) {}

  onModuleInit(): void {
    const stop = this.snapshots.onChange(() => this.#closeRefused());
    // An expiry is no change.
    const timer = setInterval(() => this.#closeRefused(), checkMs);
    this.shutdown.onStopTaking(() => {
      stop();
      clearInterval(timer);
      this.#isDraining = true;
      this.#closeStreams();
    });
  }

  /** Counts an event stream until the returned function is called. Throws `rate_limited` when there are too many. */
  openStream(principal: Principal, era: StreamEra, close: Close): () => void {
    if (this.#isDraining) throw new PlatformError('dependency_unavailable', { retryAfterMs });
    const { maxPerPrincipal, maxTotal } = this.config.streams;
    const holder = holderOf(principal.caller);
    if (this.#streams >= maxTotal || this.#streamsOf(holder) >= maxPerPrincipal) {
      throw new PlatformError('rate_limited', { message: 'Too many event streams are open.', retryAfterMs });
    }
    const forget = this.#add({ principal, isStream: true, close });
    this.#count(holder, 1);
    this.metrics.streamOpened(era);
    return () => {
      if (!forget()) return;
      this.#count(holder, -1);
      this.metrics.streamClosed(era);
    };
  }

  /** Closes something else together with the principal's streams, until the returned function is called. */
  openRequest(principal: Principal, close: Close): () => void {
    const forget = this.#add({ principal, isStream: false, close });
    return () => void forget();
  }

  #streamsOf(holder: string): number {
    return this.#streamsByHolder.get(holder) ?? 0;
  }

  #count(holder: string, change: 1 | -1): void {
    this.#streams += change;
    const left = this.#streamsOf(holder) + change;
    if (left === 0) this.#streamsByHolder.delete(holder);
    else this.#streamsByHolder.set(holder, left);
  }

  #add(entry: Open): () => boolean {
    const { principal } = entry;
    const known = this.#open.get(principal.credentialId) ?? { principal, entries: new Set() };
    this.#open.set(principal.credentialId, known);
    known.entries.add(entry);
    return () => {
      const wasOpen = known.entries.delete(entry);
      if (known.entries.size === 0 && this.#open.get(principal.credentialId) === known)
        this.#open.delete(principal.credentialId);
      return wasOpen;
    };
  }

  #closeRefused(): void {
    for (const { principal, entries } of [...this.#open.values()]) {
      const isRefused = !this.authenticator.isStillValid(principal);
      const how = hasTokenExpired(principal) ? 'disconnected' : 'cancelled';
      for (const entry of [...entries])
        if (isRefused || !this.doors.isOpenTo(entry.principal)) entry.close(how);
    }
  }

  #closeStreams(): void {
    const entries = [...this.#open.values()].flatMap((known) => [...known.entries]);
    for (const { isStream, close } of entries) if (isStream) close('disconnected');
  }
}

function hasTokenExpired({ userToken, oauthGrant }: Principal): boolean {
  const expiresAt = userToken?.expiresAt ?? oauthGrant?.tokenExpiresAt;
  return expiresAt !== undefined && expiresAt <= Date.now();
}
