import { Injectable, type OnModuleInit } from '@nestjs/common';
import { PlatformError, PublicJwk, queues, type SecretLeaseRequest, topics } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';

const askTimeoutMs = 10_000;
/** A secret that was changed is known sooner by its change; this is for changes that were missed. */
const keptMs = 60_000;
const mostKept = 5_000;

/** `version`: of the owner; what was asked under another is not used. */
type Owner = Pick<SecretLeaseRequest, 'orgId' | 'ownerId' | 'kind'> & { readonly version?: number };
type Values = Readonly<Record<string, string>>;
type Kept = { readonly values: Promise<Values>; readonly until: number };

/** Keys of models and secrets of webhooks, asked of the token broker and sealed to this process alone. */
@Injectable()
export class SecretLeases implements OnModuleInit {
  readonly #keys = generateKeyPair('ECDH-ES', { crv: 'P-256' });
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly queue: QueueClient) {}

  async onModuleInit(): Promise<void> {
    await this.queue.subscribe(topics.registryChanged, ({ id }) => this.#forget(id));
    this.queue.onReconnect(() => this.#kept.clear());
  }

  /** By the names under which they were stored; none where nothing is. Throws what the broker refuses. */
  async find(owner: Owner): Promise<Values> {
    const name = `${owner.kind}:${owner.orgId}:${owner.version ?? ''}:${owner.ownerId}`;
    const kept = this.#kept.get(name);
    if (kept && kept.until > Date.now()) return kept.values;
    const values = this.#ask(owner);
    this.#keep(name, values);
    values.catch(() => this.#kept.delete(name));
    return values;
  }

  async #ask({ orgId, ownerId, kind }: Owner): Promise<Values> {
    const { publicKey, privateKey } = await this.#keys;
    const { kty, crv, x, y } = await exportJWK(publicKey);
    const recipient = PublicJwk.parse({ kty, crv, x, y });
    const answer = await this.queue.request(
      queues.secretLeases,
      { v: 1, orgId, ownerId, kind, recipient },
      { timeoutMs: askTimeoutMs },
    );
    if (answer.status === 'refused') {
      if (answer.error.code === 'not_found') return {};
      throw PlatformError.fromInfo(answer.error);
    }
    const { plaintext } = await compactDecrypt(answer.jwe, privateKey);
    return z.record(z.string(), z.string()).parse(JSON.parse(new TextDecoder().decode(plaintext)));
  }

  #keep(name: string, values: Promise<Values>): void {
    this.#kept.delete(name);
    this.#kept.set(name, { values, until: Date.now() + keptMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > mostKept && oldest !== undefined) this.#kept.delete(oldest);
  }

  #forget(ownerId: string): void {
    for (const name of this.#kept.keys()) if (name.endsWith(`:${ownerId}`)) this.#kept.delete(name);
  }
}
