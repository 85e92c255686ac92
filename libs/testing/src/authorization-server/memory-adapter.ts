import { setTimeout as delay } from 'node:timers/promises';
import Provider, { type Adapter, type AdapterConstructor, type AdapterPayload } from 'oidc-provider';

/** What the store of one authorization server can be told to do. */
export type StoreBehaviour = {
  /** Before a refresh token is looked up. */
  refreshDelayMs: number;
  /** How many wait for it now. */
  refreshesWaiting: number;
  /** How long a refresh token that was used may be used again. */
  reuseLeewayMs: number;
};

type Row = { payload: AdapterPayload; expiresAt: number };

/** Everything that one authorization server keeps. oidc-provider's own memory adapter is one for the whole process. */
export class MemoryStore {
  readonly rows = new Map<string, Row>();

  constructor(readonly behaviour: StoreBehaviour) {}

  adapter(): AdapterConstructor {
    const store = this as MemoryStore;
    return class implements Adapter {
      constructor(readonly model: string) {}
      upsert = async (id: string, payload: AdapterPayload, expiresIn: number) =>
        store.put(this.model, id, payload, expiresIn);
      find = (id: string) => store.find(this.model, id);
      findByUserCode = async (code: string) => store.first(this.model, ({ userCode }) => userCode === code);
      findByUid = async (uid: string) => store.first(this.model, (payload) => payload.uid === uid);
      destroy = async (id: string) => void store.rows.delete(keyOf(this.model, id));
      revokeByGrantId = async (grantId: string) => store.remove((payload) => payload.grantId === grantId);
      consume = async (id: string) => {
        const row = store.rows.get(keyOf(this.model, id));
        if (row) row.payload = { ...row.payload, consumed: Date.now() };
      };
    };
  }

  put(model: string, id: string, payload: AdapterPayload, expiresIn?: number): void {
    const expiresAt = expiresIn ? Date.now() + expiresIn * 1000 : Infinity;
    this.rows.set(keyOf(model, id), { payload, expiresAt });
  }

  /** Removes whatever the test names. */
  remove(isToGo: (payload: AdapterPayload, model: string) => boolean): void {
    for (const [key, { payload }] of this.rows)
      if (isToGo(payload, key.split(':')[0] ?? '')) this.rows.delete(key);
  }

  private async find(model: string, id: string): Promise<AdapterPayload | undefined> {
    if (model === 'RefreshToken') await this.beforeRefresh();
    const row = this.rows.get(keyOf(model, id));
    if (!row || row.expiresAt < Date.now()) return undefined;
    const { consumed, ...rest } = row.payload;
    const isWithinLeeway =
      typeof consumed === 'number' && Date.now() - consumed < this.behaviour.reuseLeewayMs;
    return isWithinLeeway ? rest : row.payload;
  }

  /** Whoever hung up meanwhile gets nothing done, as at a server that had not read the request yet. */
  private async beforeRefresh(): Promise<void> {
    if (this.behaviour.refreshDelayMs === 0) return;
    this.behaviour.refreshesWaiting++;
    await delay(this.behaviour.refreshDelayMs);
    this.behaviour.refreshesWaiting--;
    if (Provider.ctx?.req.socket.destroyed) throw new Error('the client has gone');
  }

  private first(model: string, matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    for (const [key, { payload }] of this.rows)
      if (key.startsWith(`${model}:`) && matches(payload)) return payload;
    return undefined;
  }
}

function keyOf(model: string, id: string): string {
  return `${model}:${id}`;
}
