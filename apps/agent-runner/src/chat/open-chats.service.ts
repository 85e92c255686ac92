import { SnapshotStore } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import type { Shutdown } from '@switchyard/service-kit';

type OpenChat = { readonly userId: string; readonly ending: AbortController };

/** Requests of chats that are open at this process: so many for each user, and none when it ends. */
export class OpenChats {
  readonly #open = new Set<OpenChat>();
  #isEnding = false;

  constructor(
    private readonly snapshots: SnapshotStore,
    shutdown: Shutdown,
    private readonly mostPerUser: number,
  ) {
    snapshots.onChange(() => this.#endOfDeactivated());
    // Cut off, a client attaches again, and another process serves it.
    shutdown.onStopTaking(() => this.#endAll());
  }

  /** Call `close` in any case. The signal fires when the request has to end. Throws `rate_limited`, and `dependency_unavailable` at the end. */
  open(userId: string): { readonly signal: AbortSignal; readonly close: () => void } {
    if (this.#isEnding) throw ending();
    const own = [...this.#open].filter((chat) => chat.userId === userId);
    if (own.length >= this.mostPerUser)
      throw new PlatformError('rate_limited', {
        message: `A user has at most ${this.mostPerUser} chats open at once.`,
        retryAfterMs: 1_000,
      });
    const chat = { userId, ending: new AbortController() };
    this.#open.add(chat);
    return { signal: chat.ending.signal, close: () => this.#open.delete(chat) };
  }

  #endOfDeactivated(): void {
    const { inactiveUsers } = this.snapshots.current();
    for (const { userId, ending } of this.#open)
      if (inactiveUsers.has(userId)) ending.abort(new PlatformError('user_inactive'));
  }

  #endAll(): void {
    this.#isEnding = true;
    for (const chat of this.#open) chat.ending.abort(ending());
  }
}

function ending(): PlatformError {
  return new PlatformError('dependency_unavailable', { message: 'Connect again.', retryAfterMs: 1_000 });
}
