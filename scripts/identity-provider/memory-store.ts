/** What the identity provider knows while it runs: sessions, codes, grants. After a restart people sign in again. */
import type { Adapter, AdapterConstructor, AdapterPayload } from 'oidc-provider';

type Row = { payload: AdapterPayload; expiresAt: number };

const mostRows = 10_000;

/** oidc-provider's own memory adapter keeps at most 1,000 rows for the whole process and says so on the console. */
export function memoryAdapter(): AdapterConstructor {
  const rows = new Map<string, Row>();
  return class implements Adapter {
    readonly #model: string;

    constructor(model: string) {
      this.#model = model;
    }

    async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
      if (rows.size >= mostRows) removeExpired(rows);
      rows.set(this.#key(id), { payload, expiresAt: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
    }

    async find(id: string): Promise<AdapterPayload | undefined> {
      const row = rows.get(this.#key(id));
      return row && row.expiresAt > Date.now() ? row.payload : undefined;
    }

    async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
      return this.#first((payload) => payload.userCode === userCode);
    }

    async findByUid(uid: string): Promise<AdapterPayload | undefined> {
      return this.#first((payload) => payload.uid === uid);
    }

    async consume(id: string): Promise<void> {
      const row = rows.get(this.#key(id));
      if (row) row.payload = { ...row.payload, consumed: Math.floor(Date.now() / 1000) };
    }

    async destroy(id: string): Promise<void> {
      rows.delete(this.#key(id));
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, { payload }] of rows) if (payload.grantId === grantId) rows.delete(key);
    }

    #key(id: string): string {
      return `${this.#model}:${id}`;
    }

    #first(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
      for (const [key, { payload, expiresAt }] of rows)
        if (key.startsWith(`${this.#model}:`) && expiresAt > Date.now() && matches(payload)) return payload;
      return undefined;
    }
  };
}

function removeExpired(rows: Map<string, Row>): void {
  for (const [key, { expiresAt }] of rows) if (expiresAt <= Date.now()) rows.delete(key);
}
