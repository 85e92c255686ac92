import {
  authenticateVirtualKey,
  findToolset,
  policyClaimPaths,
  projectClaims,
  resolveTools,
  SnapshotStore,
} from '@switchyard/access';
import { type CallerContext, DEFAULT_ORGANIZATION_ID } from '@switchyard/contracts';
import pg from 'pg';
import type { Filter } from './random-rules.js';

export type PlannedCaller =
  | { readonly key: string }
  | { readonly userId: string; readonly roles: string[]; readonly claims: Record<string, unknown> };

/** What the rules say of a caller, by a snapshot of this test's own: the oracle that every face has to agree with. */
export class Planning {
  readonly #pool: pg.Pool;
  readonly #store: SnapshotStore;

  constructor(databaseUrl: string) {
    this.#pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
    this.#store = new SnapshotStore({
      query: async (sql, params) => (await this.#pool.query(sql, params)).rows as unknown[],
    });
  }

  start(): Promise<void> {
    return this.#store.start();
  }

  async close(): Promise<void> {
    await this.#store.close();
    await this.#pool.end();
  }

  /** The names that the caller should see, by the newest rules. */
  async names(
    who: PlannedCaller,
    runKind: CallerContext['runKind'],
    more: { toolset?: string; filter?: Filter } = {},
  ): Promise<string[]> {
    await this.#store.refresh('all');
    const snapshot = this.#store.current();
    const toolsetId = more.toolset && findToolset(snapshot, DEFAULT_ORGANIZATION_ID, more.toolset)?.id;
    const caller = { ...this.#caller(who, runKind), ...(toolsetId && { toolsetId }) };
    const { include_clients, exclude_clients, include_tools, exclude_tools } = more.filter ?? {};
    const filter = more.filter && {
      includeClients: include_clients,
      excludeClients: exclude_clients,
      includeTools: include_tools,
      excludeTools: exclude_tools,
    };
    return resolveTools(snapshot, caller, filter)
      .map(({ outwardName }) => outwardName)
      .sort();
  }

  #caller(who: PlannedCaller, runKind: CallerContext['runKind']): CallerContext {
    const snapshot = this.#store.current();
    if ('key' in who) {
      const verdict = authenticateVirtualKey(snapshot, who.key, Date.now(), runKind);
      if (verdict.status !== 'ok') throw new Error(`the key is ${verdict.status}`);
      return verdict.caller;
    }
    return {
      kind: 'user',
      orgId: DEFAULT_ORGANIZATION_ID,
      userId: who.userId,
      virtualKeyId: null,
      runKind,
      roles: who.roles,
      hasSubjectToken: true,
      claims: projectClaims(who.claims, policyClaimPaths(snapshot, DEFAULT_ORGANIZATION_ID)),
    };
  }
}
