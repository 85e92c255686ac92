import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  isServed,
  type RequestFilter,
  type Snapshot,
  type SnapshotChange,
  SnapshotStore,
} from '@switchyard/access';
import { Log } from '@switchyard/service-kit';
import type { Principal } from '../auth/principal.js';
import { changedLists, type ListKind, type Lists, listsOf } from './watched-lists.js';

type Listener = (what: ListKind) => void;
/** What a stream sees: absent, all tools of its principal, and no other list. */
export type ListView = { readonly filter?: RequestFilter; readonly kinds?: readonly ListKind[] };

type Watched = {
  readonly principal: Principal;
  readonly filter: RequestFilter | undefined;
  readonly kinds: readonly ListKind[];
  lists: Lists;
  readonly listeners: Set<Listener>;
};

/** Tells open streams that a list of their principal changed, and nobody whose lists did not. */
@Injectable()
export class ToolListWatch implements OnModuleInit {
  readonly #watched = new Map<string, Watched>();
  #seen: Snapshot | undefined;
  #comparing: Promise<void> | undefined;
  #isDirty = false;

  constructor(
    private readonly snapshots: SnapshotStore,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.#seen = this.snapshots.current();
    this.snapshots.onChange((change, snapshot) => this.#changed(change, snapshot));
  }

  /** Calls `listener` after each change of what the principal is listed, until the returned function is called. */
  subscribe(
    principal: Principal,
    listener: Listener,
    { filter, kinds = ['tools'] }: ListView = {},
  ): () => void {
    const { credentialId, caller } = principal;
    const key = JSON.stringify([credentialId, caller.runKind, caller.toolsetId, filter, kinds]);
    const watched = this.#watched.get(key) ?? {
      ...{ principal, filter, kinds, listeners: new Set() },
      lists: listsOf(this.snapshots.current(), { caller, filter, kinds }),
    };
    this.#watched.set(key, watched);
    const own: Listener = (what) => listener(what);
    watched.listeners.add(own);
    return () => {
      watched.listeners.delete(own);
      if (watched.listeners.size === 0 && this.#watched.get(key) === watched) this.#watched.delete(key);
    };
  }

  #changed(change: SnapshotChange, snapshot: Snapshot): void {
    const before = this.#seen;
    this.#seen = snapshot;
    const matters =
      change.registry || change.integrations.some((id) => !before || servesOther(before, snapshot, id));
    if (!matters) return;
    this.#isDirty = true;
    this.#comparing ??= this.#compareAll().finally(() => (this.#comparing = undefined));
  }

  /** One principal a turn: a list can hold thousands of tools, and there can be thousands of principals. */
  async #compareAll(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      for (const watched of [...this.#watched.values()]) {
        await nextTurn();
        this.#compare(watched);
      }
    }
  }

  #compare(watched: Watched): void {
    const { principal, filter, kinds, listeners } = watched;
    const lists = listsOf(this.snapshots.current(), { caller: principal.caller, filter, kinds });
    const changed = changedLists(watched.lists, lists);
    watched.lists = lists;
    for (const listener of listeners) {
      try {
        for (const what of changed) listener(what);
      } catch (err) {
        this.log.warn({ err }, 'a client could not be told that a list changed');
      }
    }
  }
}

/** States move with every health check; few of them move a list. */
function servesOther(before: Snapshot, after: Snapshot, id: string): boolean {
  const one = before.integrations.get(id);
  const other = after.integrations.get(id);
  if (one !== other || before.tools.get(id) !== after.tools.get(id)) return true;
  if (before.features.get(id) !== after.features.get(id)) return true;
  return (
    other !== undefined && isServed(other, before.states.get(id)) !== isServed(other, after.states.get(id))
  );
}
