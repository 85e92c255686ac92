/** The other ends of the registry's queues: a broker that opens what is sealed to it, and a catalog-sync that syncs. */
import { queues, topics } from '@switchyard/contracts';
import type {
  AuditEvent,
  CatalogSyncJob,
  CatalogSyncOutcome,
  ErrorInfo,
  MessageOf,
  OAuthDiscovery,
  OAuthDiscoveryAnswer,
  ScheduleJob,
  ScheduleOutcome,
  ToolApproval,
  ToolApprovalAnswer,
  VaultWrite,
} from '@switchyard/contracts';
import type { QueueClient } from '@switchyard/queue';
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import pg from 'pg';

type Values = Record<string, string>;
export type Stored = Partial<Record<Extract<VaultWrite, { op: 'put' }>['kind'], Values>>;

export class FakeOwners {
  /** By the owner's id: what the vault holds. */
  readonly stored = new Map<string, Stored>();
  readonly writes: VaultWrite[] = [];
  readonly syncs: CatalogSyncJob[] = [];
  readonly changes: MessageOf<typeof topics.registryChanged>[] = [];
  readonly resets: string[] = [];
  readonly audited: AuditEvent[] = [];
  readonly discoveries: OAuthDiscovery[] = [];
  readonly approvals: ToolApproval[] = [];
  readonly firings: ScheduleJob[] = [];
  /** What agent-runner answers who runs a schedule now. */
  firing: ScheduleOutcome = { status: 'started', runIds: [] };
  approval: ToolApprovalAnswer = { status: 'approved', count: 1 };
  discovery: OAuthDiscoveryAnswer = { status: 'open' };
  /** Set to make the vault refuse. */
  refusal: ErrorInfo | undefined;
  /** Set to make the vault answer only once this resolves. */
  silence: Promise<void> | undefined;
  outcome: CatalogSyncOutcome = { status: 'synced', toolCount: 2, changed: true };

  static async start(queue: QueueClient, adminUrl: string): Promise<FakeOwners> {
    const owners = new FakeOwners();
    const open = await makeBrokerKey(adminUrl);
    queue.consume(queues.vaultWrites, (write) => owners.write(write, open), { concurrency: 4 });
    queue.consume(queues.catalogSync, async (job) => (owners.syncs.push(job), owners.outcome), {
      concurrency: 4,
    });
    queue.consume(queues.auditRecords, async ({ events }) => ({ written: owners.audited.push(...events) }), {
      concurrency: 4,
    });
    queue.consume(
      queues.oauthDiscoveries,
      async (question) => (owners.discoveries.push(question), await owners.silence, owners.discovery),
      { concurrency: 4 },
    );
    queue.consume(
      queues.toolApprovals,
      async (approval) => (owners.approvals.push(approval), owners.approval),
      { concurrency: 4 },
    );
    queue.consume(
      queues.agentSchedules,
      async (job) => (owners.firings.push(job), await owners.silence, owners.firing),
      { concurrency: 4 },
    );
    await queue.subscribe(topics.registryChanged, (change) => void owners.changes.push(change));
    await queue.subscribe(topics.breakerReset, ({ integrationId }) => void owners.resets.push(integrationId));
    return owners;
  }

  private async write(write: VaultWrite, open: (jwe: string) => Promise<Record<string, string>>) {
    await this.silence;
    this.writes.push(write);
    if (this.refusal) return { status: 'refused', error: this.refusal } as const;
    if (write.op === 'delete') {
      this.stored.delete(write.integrationId);
      return { status: 'stored' as const, names: [] };
    }
    const values = await this.valuesOf(write, open);
    this.stored.set(write.integrationId, { ...this.stored.get(write.integrationId), [write.kind]: values });
    return { status: 'stored' as const, names: Object.keys(values) };
  }

  /** What the set is after the write. */
  private async valuesOf(
    write: Exclude<VaultWrite, { op: 'delete' }>,
    open: (jwe: string) => Promise<Values>,
  ): Promise<Values> {
    const { current = '' } = this.stored.get(write.integrationId)?.[write.kind] ?? {};
    if (write.op === 'drop_previous') return { current };
    const values = await open(write.jwe);
    return write.op === 'rotate' ? { ...values, previous: current } : values;
  }
}

/** Publishes a key as the broker does, and gives what opens what is sealed to it. */
async function makeBrokerKey(adminUrl: string) {
  const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
  const { kty, crv, x, y } = await exportJWK(publicKey);
  await asAdmin(adminUrl, async (client) => {
    await client.query(
      `INSERT INTO vault.data_keys (id, master_key_id, wrapped) VALUES ('00000000-0000-4000-8000-00000000000d', 'test', '')`,
    );
    await client.query(
      `INSERT INTO vault.broker_keys (kid, public_jwk, data_key_id, private_jwk_ciphertext)
        VALUES ('test', $1, '00000000-0000-4000-8000-00000000000d', '')`,
      [{ kty, crv, x, y }],
    );
  });
  return async (jwe: string) => {
    const { plaintext } = await compactDecrypt(jwe, privateKey);
    return JSON.parse(new TextDecoder().decode(plaintext)) as Record<string, string>;
  };
}

/** Work in the database with all rights: what other services would have written. */
export async function asAdmin<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
