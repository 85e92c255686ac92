import { setImmediate as nextTurn } from 'node:timers/promises';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  isServed,
  type ResolvedTool,
  resolveTools,
  type Snapshot,
  type SnapshotChange,
  SnapshotStore,
} from '@switchyard/access';
import { Log } from '@switchyard/service-kit';
import type { Principal } from '../auth/principal.js';
import { isSameList } from './tool-list.js';

type Watched = {
  readonly principal: Principal;
  list: readonly ResolvedTool[];
  readonly listeners: Set<() => void>;
};

/** Tells open streams that the tools of their principal changed, and nobody whose tools did not. */
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

  /** Calls `listener` after each change of the principal's list, until the returned function is called. */
  subscribe(principal: Principal, listener: () => void): () => void {
    const watched = this.#watched.get(principal.credentialId) ?? {
      principal,
      list: resolveTools(this.snapshots.current(), principal.caller),
      listeners: new Set(),
    };
    this.#watched.set(principal.credentialId, watched);
    const own = () => listener();
    watched.listeners.add(own);
    return () => {
      watched.listeners.delete(own);
      if (watched.listeners.size === 0 && this.#watched.get(principal.credentialId) === watched) {
        this.#watched.delete(principal.credentialId);
      }
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
    const list = resolveTools(this.snapshots.current(), watched.principal.caller);
    const isSame = isSameList(watched.list, list);
    watched.list = list;
    if (isSame) return;
    for (const listener of watched.listeners) {
      try {
        listener();
      } catch (err) {
        this.log.warn({ err }, 'a client could not be told that its tools changed');
      }
    }
  }
}

/** States move with every health check; few of them move a list. */
function servesOther(before: Snapshot, after: Snapshot, id: string): boolean {
  const one = before.integrations.get(id);
  const other = after.integrations.get(id);
  if (one !== other || before.tools.get(id) !== after.tools.get(id)) return true;
  return (
    other !== undefined && isServed(other, before.states.get(id)) !== isServed(other, after.states.get(id))
  );
}
