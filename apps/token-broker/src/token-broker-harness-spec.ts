import { createHash, randomBytes, randomUUID } from 'node:crypto';
import {
  type AuthMode,
  type CallerContext,
  DEFAULT_ORGANIZATION_ID,
  type LeaseAnswer,
  LeaseContent,
  type LeaseRequest,
  PublicJwk,
  queues,
  type ToolCall,
  type VaultWriteAnswer,
} from '@switchyard/contracts';
import { createDataSource, Sql } from '@switchyard/database';
import { QueueClient, Sealer, sealToolCall } from '@switchyard/queue';
import { type RunningService, startService } from '@switchyard/service-kit';
import { freePort, testDatabase, type TestDatabase, type TestQueueBackend } from '@switchyard/testing';
import {
  CompactEncrypt,
  compactDecrypt,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from 'jose';
import { toTokenBrokerConfig, tokenBrokerEnv } from './config.js';
import { TokenBrokerModule } from './token-broker.module.js';
import type { SecretKind } from './vault/secret-rules.js';

const sealKey = 'a-seal-key-for-tests-of-32-characters';
const timeoutMs = 20_000;
export const operatorKey = 'the-operators-key-of-the-tests';

export type Recipient = { jwk: PublicJwk; open(jwe: string): Promise<LeaseContent> };

/** Real brokers over a real database and queue; the test plays registry and dispatch. */
export class BrokerHarness {
  readonly masterKey = randomBytes(32).toString('base64');
  readonly orgId = DEFAULT_ORGANIZATION_ID;
  readonly running: RunningService[] = [];
  private starts = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly queue: QueueClient,
    readonly sql: Sql,
    readonly queueUrl: string,
    private readonly publicPort: number,
    private readonly end: () => Promise<void>,
  ) {}

  static async open(backend?: TestQueueBackend): Promise<BrokerHarness> {
    const database = await testDatabase();
    const source = createDataSource({ url: database.adminUrl, schema: 'public', applicationName: 'test' });
    const admin = await source.initialize();
    const queueUrl = backend?.kind === 'redis' ? backend.url() : database.urls.queue;
    const queue = await QueueClient.connect({ url: queueUrl, sealKey, service: 'test' });
    const port = await freePort();
    return new BrokerHarness(database, queue, new Sql(admin), queueUrl, port, async () => {
      await queue.close();
      await admin.destroy();
      await database.close();
    });
  }

  /** Where the first broker listens. */
  get publicUrl(): string {
    return `http://127.0.0.1:${this.publicPort}`;
  }

  /** The environment of a broker as its own process. */
  env(overrides: Record<string, string> = {}): Record<string, string> {
    return {
      LOG_LEVEL: process.env.TEST_LOG ?? 'fatal',
      SWITCHYARD_ENV: 'development',
      SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true',
      SWITCHYARD_PUBLIC_URL: this.publicUrl,
      TOKEN_BROKER_REFRESH_INTERVAL: '0',
      TOKEN_BROKER_ADMIN_KEY_SHA256: createHash('sha256').update(operatorKey).digest('hex'),
      SWITCHYARD_SEAL_KEY: sealKey,
      SWITCHYARD_MASTER_KEY: this.masterKey,
      QUEUE_URL: this.queueUrl,
      TOKEN_BROKER_DATABASE_URL: this.database.urls['token-broker'],
      ...overrides,
    };
  }

  async startBroker(overrides: Record<string, string> = {}): Promise<RunningService> {
    const port: Record<string, string> = this.starts++ ? {} : { TOKEN_BROKER_PORT: String(this.publicPort) };
    const config = toTokenBrokerConfig(tokenBrokerEnv.parse(this.env({ ...port, ...overrides })));
    const broker = await startService({ config: config.service, module: TokenBrokerModule.forRoot(config) });
    this.running.push(broker);
    return broker;
  }

  async close(): Promise<void> {
    await Promise.all(this.running.map((broker) => broker.close()));
    await this.end();
  }

  async insertOrganization(slug: string): Promise<string> {
    const id = randomUUID();
    await this.sql.query(`INSERT INTO registry.organizations (id, slug, name) VALUES ($1, $2, $2)`, [
      id,
      slug,
    ]);
    return id;
  }

  async insertIntegration(authMode: AuthMode, columns: Record<string, unknown> = {}): Promise<string> {
    const id = randomUUID();
    const row = {
      ...{
        id,
        organization_id: this.orgId,
        slug: `s-${id.slice(0, 8)}`,
        name: 'Test',
        scope: 'organization',
      },
      transport: JSON.stringify({ type: 'http', url: 'http://127.0.0.1:1/mcp' }),
      ...{ auth_mode: authMode, header_names: [], env_names: [], available_in_chat: true },
      ...{
        available_to_autonomous: true,
        tool_overrides: '{}',
        sync_interval_seconds: 0,
        auto_reconnect: true,
      },
      ...{ enabled: true, retention: 'always', ...columns },
    };
    const names = Object.keys(row);
    await this.sql.query(
      `INSERT INTO registry.integrations (${names.join(', ')}) VALUES (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
      Object.values(row),
    );
    return id;
  }

  async insertAgent(): Promise<string> {
    const id = randomUUID();
    await this.sql.query(
      `INSERT INTO registry.agents (id, organization_id, slug, name, instructions, model, grants, execution, approval,
         chat_access, max_depth, tool_deadline_ms, mixed_turn, unattended_approval, agentic_mode)
       VALUES ($1, $2, $3, 'A', '', '{}', '[]', '{}', '{}', '{}', 10, 30000, 'run_auto', 'park', true)`,
      [id, this.orgId, `a-${id.slice(0, 8)}`],
    );
    return id;
  }

  /** Stores values as the registry does: sealed to the key that the broker publishes. */
  async put(
    integrationId: string,
    values: object,
    options: { kind?: SecretKind; orgId?: string } = {},
  ): Promise<VaultWriteAnswer> {
    const { kind = 'headers', orgId = this.orgId } = options;
    const jwe = await this.sealToBroker(JSON.stringify(values));
    return this.queue.request(
      queues.vaultWrites,
      { v: 1, op: 'put', orgId, integrationId, kind, jwe },
      { timeoutMs },
    );
  }

  async delete(integrationId: string): Promise<VaultWriteAnswer> {
    return this.queue.request(
      queues.vaultWrites,
      { v: 1, op: 'delete', orgId: this.orgId, integrationId },
      { timeoutMs },
    );
  }

  async sealToBroker(text: string): Promise<string> {
    const [row] = await this.sql.query<{ kid: string; jwk: JWK }>(
      `SELECT kid, jwk FROM broker.v_public_keys WHERE active`,
    );
    const header = { alg: 'ECDH-ES', enc: 'A256GCM', kid: row!.kid };
    return new CompactEncrypt(Buffer.from(text))
      .setProtectedHeader(header)
      .encrypt(await importJWK(row!.jwk, 'ECDH-ES'));
  }

  /** Asks for a lease: for a sealed call, or for discovery with `call: null`. */
  async lease(integrationId: string, overrides: Partial<LeaseRequest> = {}): Promise<LeaseAnswer> {
    const call = this.sealedCall(integrationId);
    const recipient = (overrides.recipient ?? (await newRecipient()).jwk) as PublicJwk;
    const request = {
      v: 1,
      orgId: this.orgId,
      integrationId,
      call,
      caller: call.call.caller,
      refused: null,
      insufficientScopes: null,
      subjectToken: null,
    } as const;
    return this.queue.request(queues.tokenLeases, { ...request, ...overrides, recipient }, { timeoutMs });
  }

  sealedCall(integrationId: string, overrides: Partial<ToolCall> = {}, key = sealKey) {
    const caller = {
      kind: 'service' as const,
      orgId: this.orgId,
      userId: null,
      virtualKeyId: randomUUID(),
      runKind: 'mcp' as const,
      roles: [],
      hasSubjectToken: false,
    } satisfies CallerContext;
    const now = Date.now();
    const call: ToolCall = {
      ...{
        v: 1,
        callId: randomUUID(),
        integrationId,
        tool: 'add',
        outwardName: 'notes_add',
        caller,
        lane: 'interactive',
      },
      ...{ ledgerFirst: false, argumentsSha256: '0'.repeat(64), acceptedAt: now, deadlineAt: now + 30_000 },
      ...{ subjectTokenSha256: null, runId: null, requestId: null, ...overrides },
    };
    return sealToolCall(new Sealer(key), call);
  }
}

/** An ephemeral key pair, as each worker has one. */
export async function newRecipient(): Promise<Recipient> {
  const pair = await generateKeyPair('ECDH-ES', { crv: 'P-256' });
  const { kty, crv, x, y } = await exportJWK(pair.publicKey);
  return { jwk: PublicJwk.parse({ kty, crv, x, y }), open: (jwe) => open(jwe, pair.privateKey) };
}

async function open(jwe: string, key: CryptoKey): Promise<LeaseContent> {
  const { plaintext } = await compactDecrypt(jwe, key);
  return LeaseContent.parse(JSON.parse(new TextDecoder().decode(plaintext)));
}
