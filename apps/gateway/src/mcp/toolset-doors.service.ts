import { Injectable } from '@nestjs/common';
import { findToolset, isAttached, SnapshotStore } from '@switchyard/access';
import { PlatformError } from '@switchyard/contracts';
import { type Principal, principalAs } from '../auth/principal.js';

/** Lets callers in at `/mcp/{toolset}`. */
@Injectable()
export class ToolsetDoors {
  constructor(private readonly snapshots: SnapshotStore) {}

  /** The principal as a caller of the toolset. Throws `not_found`, or `forbidden` where it is not attached. */
  async enter(principal: Principal, slug: string): Promise<Principal> {
    const verdict = this.#judge(principal, slug);
    if (typeof verdict === 'object') return verdict;
    // It may have been made or attached a moment ago.
    await this.snapshots.refresh();
    const again = this.#judge(principal, slug);
    if (typeof again === 'object') return again;
    if (again === 'not_found') throw new PlatformError(again);
    const message = 'The toolset is not attached to this caller.';
    throw new PlatformError(again, { message, details: { toolset: slug } });
  }

  /** Whether a caller that was let in may stay. */
  isOpenTo({ caller }: Principal): boolean {
    if (caller.toolsetId === undefined) return true;
    const snapshot = this.snapshots.current();
    const toolset = snapshot.toolsets.get(caller.toolsetId);
    return toolset !== undefined && isAttached(snapshot, toolset, caller);
  }

  #judge(principal: Principal, slug: string): Principal | 'not_found' | 'forbidden' {
    const snapshot = this.snapshots.current();
    const { caller } = principal;
    const toolset = findToolset(snapshot, caller.orgId, slug);
    if (!toolset) return 'not_found';
    if (!isAttached(snapshot, toolset, caller)) return 'forbidden';
    return principalAs(principal, (one) => ({ ...one, toolsetId: toolset.id }));
  }
}
