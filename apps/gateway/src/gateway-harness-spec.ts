import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Client } from '@modelcontextprotocol/client';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  DEFAULT_ORGANIZATION_ID,
  queues,
  type ToolCallJob,
  type ToolCallOutcome,
  topics,
} from '@switchyard/contracts';
import { createDataSource, Sql } from '@switchyard/database';
import { type JobContext, QueueClient } from '@switchyard/queue';
import { type RunningService, type ServiceOptions, startService } from '@switchyard/service-kit';
import { testDatabase, type TestDatabase, type TestQueueBackend } from '@switchyard/testing';
import { v7 } from 'uuid';
import { bearer } from './gateway-client-spec.js';
import { gatewayEnv, toGatewayConfig } from './config.js';
import { gatewayService } from './gateway-service.js';

export const sealKey = 'a-seal-key-for-tests-of-32-characters';

export type Worker = (
  job: ToolCallJob,
  context: JobContext<typeof queues.toolCallsInteractive>,
) => Promise<ToolCallOutcome | void>;
export type TestTool = { name: string; [field: string]: unknown };
export type TestGateway = { url: string; mcpUrl: string; service: RunningService };

/**
 * Real gateways over a real database and queue. The test stands at the other end of the queues, and writes the rows
 * of registry and catalog.
 */
export class GatewayHarness {
  readonly #ends: (() => Promise<unknown>)[] = [];

  private constructor(
    readonly database: TestDatabase,
    readonly sql: Sql,
    readonly queue: QueueClient,
    private readonly queueUrl: string,
    private readonly prefix: string,
  ) {}

  static async open(backend: TestQueueBackend, options: { queueUrl?: string } = {}): Promise<GatewayHarness> {
    const database = await testDatabase();
    const admin = await createDataSource({
      url: database.adminUrl,
      schema: 'public',
      applicationName: 'test',
    }).initialize();
    const ownUrl = backend.kind === 'postgres' ? database.urls.queue : backend.url();
    const queueUrl = options.queueUrl ?? ownUrl;
    const queue = await QueueClient.connect({
      url: queueUrl,
      sealKey,
      service: 'test',
      prefix: backend.prefix,
    });
    const harness = new GatewayHarness(database, new Sql(admin), queue, queueUrl, backend.prefix);
    harness.onClose(
      () => database.close(),
      () => admin.destroy(),
      () => queue.close(),
    );
    return harness;
  }

  onClose(...steps: (() => Promise<unknown>)[]): void {
    this.#ends.push(...steps);
  }

  async close(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }

  async startGateway(
    overrides: Record<string, string> = {},
    onRoute: (route: { method: string; url: string }) => void = () => undefined,
  ): Promise<TestGateway> {
    const config = toGatewayConfig(
      gatewayEnv.parse({
        SWITCHYARD_ENV: 'development',
        LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'fatal',
        SWITCHYARD_SEAL_KEY: sealKey,
        QUEUE_URL: this.queueUrl,
        GATEWAY_DATABASE_URL: this.database.urls.gateway,
        GATEWAY_REGISTRY_URL: 'http://127.0.0.1:9',
        GATEWAY_TOKEN_BROKER_URL: 'http://127.0.0.1:9',
        GATEWAY_DISPATCH_URL: 'http://127.0.0.1:9',
        GATEWAY_AGENT_RUNNER_URL: 'http://127.0.0.1:9',
        SWITCHYARD_EGRESS_ALLOW_PRIVATE: 'true',
        GATEWAY_PORT: '0',
        ...overrides,
      }),
    );
    const options = gatewayService(config, { queuePrefix: this.prefix });
    const service = await startService({ ...options, http: tellingRoutes(options.http, onRoute) });
    this.onClose(() => service.close());
    const url = `http://127.0.0.1:${service.httpPort}`;
    return { url, mcpUrl: `${url}/mcp`, service };
  }

  /** Takes the calls of both lanes from now on. */
  work(worker: Worker): void {
    for (const queue of [queues.toolCallsInteractive, queues.toolCallsBackground]) {
      this.queue.consume(queue, worker as never, { concurrency: 64 });
    }
  }

  /** Answers requests for cancellation from now on, and tells which calls they were for. */
  takeCancellations(state: 'cancelled' | 'running' = 'cancelled'): string[] {
    const callIds: string[] = [];
    this.queue.consume(
      queues.toolCallCancellations,
      ({ callId }) => {
        callIds.push(callId);
        return Promise.resolve({ status: 'done', state } as const);
      },
      { concurrency: 4 },
    );
    return callIds;
  }

  async addOrganization(slug: string): Promise<string> {
    const id = randomUUID();
    await this.sql.query('INSERT INTO registry.organizations (id, slug, name) VALUES ($1, $2, $2)', [
      id,
      slug,
    ]);
    return id;
  }

  /** A key with the given grants; all tools of the integration `up` without them. */
  async addKey(
    options: { grants?: Record<string, string[] | null>; orgId?: string; expiresAt?: Date } = {},
  ): Promise<{ id: string; key: string }> {
    const id = randomUUID();
    const key = `vk_${randomBytes(24).toString('base64url')}`;
    const grants = Object.entries(options.grants ?? { up: ['*'] });
    const configs = grants.map(([name, tools]) => ({ mcp_client_name: name, tools_to_execute: tools }));
    await this.sql.query(
      `INSERT INTO registry.virtual_keys (id, organization_id, name, key_hash, mcp_configs, expires_at)
       VALUES ($1, $2, 'test', $3, $4, $5)`,
      [
        id,
        options.orgId ?? DEFAULT_ORGANIZATION_ID,
        createHash('sha256').update(key).digest('hex'),
        JSON.stringify(configs),
        options.expiresAt ?? null,
      ],
    );
    await this.registryChanged(id);
    return { id, key };
  }

  async revokeKey(id: string): Promise<void> {
    await this.sql.query('UPDATE registry.virtual_keys SET revoked_at = now() WHERE id = $1', [id]);
    await this.registryChanged(id);
  }

  async addIntegration(
    slug: string,
    tools: TestTool[],
    options: { orgId?: string; state?: string; columns?: Record<string, unknown> } = {},
  ): Promise<string> {
    const id = randomUUID();
    const row = {
      id,
      organization_id: options.orgId ?? DEFAULT_ORGANIZATION_ID,
      slug,
      name: slug,
      scope: 'organization',
      transport: JSON.stringify({ type: 'http', url: 'http://127.0.0.1:9/mcp' }),
      auth_mode: 'none',
      header_names: [],
      env_names: [],
      available_in_chat: true,
      available_to_autonomous: true,
      tool_overrides: '{}',
      sync_interval_seconds: 0,
      auto_reconnect: true,
      enabled: true,
      retention: 'always',
      ...options.columns,
    };
    const names = Object.keys(row);
    await this.sql.query(
      `INSERT INTO registry.integrations (${names.join(', ')}) VALUES (${names.map((_, at) => `$${at + 1}`).join(', ')})`,
      Object.values(row),
    );
    await this.sql.query(
      `INSERT INTO catalog.integration_states (integration_id, organization_id, state, version) VALUES ($1, $2, $3, 1)`,
      [id, row.organization_id, options.state ?? 'connected'],
    );
    await this.setTools(id, slug, tools);
    await this.registryChanged(id);
    return id;
  }

  /** Replaces the tools of an integration, as a sync does. */
  async setTools(integrationId: string, slug: string, tools: TestTool[]): Promise<void> {
    const wires = tools.map((tool) => ({ inputSchema: { type: 'object' }, ...tool }));
    await this.sql.query('DELETE FROM catalog.external_mcp_tools WHERE integration_id = $1', [integrationId]);
    await this.sql.query(
      `INSERT INTO catalog.external_mcp_tools (id, integration_id, organization_id, name, qualified_name, input_schema, wire, wire_sha256)
       SELECT (t ->> 'id')::uuid, $1, (SELECT organization_id FROM catalog.integration_states WHERE integration_id = $1),
         t -> 'wire' ->> 'name', $2 || '.' || (t -> 'wire' ->> 'name'), t -> 'wire' -> 'inputSchema', t -> 'wire', t ->> 'sha'
       FROM json_array_elements($3::json) AS t`,
      [
        integrationId,
        slug,
        JSON.stringify(
          wires.map((wire) => ({
            id: v7(),
            wire,
            sha: createHash('sha256').update(JSON.stringify(wire)).digest('hex'),
          })),
        ),
      ],
    );
    await this.sql.query(
      'UPDATE catalog.integration_states SET version = version + 1 WHERE integration_id = $1',
      [integrationId],
    );
    await this.sql.query('UPDATE catalog.version SET version = version + 1');
    await this.queue.publish(topics.catalogChanged, {
      orgId: DEFAULT_ORGANIZATION_ID,
      integrationId,
      state: 'connected',
      toolsChanged: true,
    });
  }

  async registryChanged(id: string): Promise<void> {
    const message = { entity: 'integration', change: 'updated', orgId: DEFAULT_ORGANIZATION_ID, id } as const;
    await this.queue.publish(topics.registryChanged, message);
  }

  /** A client of SDK 1.x, which knows the revisions up to 2025-11-25. */
  async legacyClient(
    mcpUrl: string,
    key: string | undefined,
    send: typeof fetch = fetch,
  ): Promise<LegacyClient> {
    const client = new LegacyClient({ name: 'legacy', version: '1' }, { capabilities: {} });
    const options = { requestInit: { headers: bearer(key) }, fetch: send };
    await client.connect(new LegacyTransport(new URL(mcpUrl), options));
    this.onClose(() => client.close());
    return client;
  }

  /** A client of SDK 2, which negotiates 2026-07-28. */
  async modernClient(mcpUrl: string, key: string | undefined, send: typeof fetch = fetch): Promise<Client> {
    const client = new Client({ name: 'modern', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    const options = { requestInit: { headers: bearer(key) }, fetch: send };
    await client.connect(new StreamableHTTPClientTransport(new URL(mcpUrl), options));
    this.onClose(() => client.close());
    return client;
  }
}

/** Routes are told as they are added, so the hook has to be there before them. */
function tellingRoutes(
  http: ServiceOptions['http'],
  onRoute: (route: { method: string; url: string }) => void,
): ServiceOptions['http'] {
  return {
    ...http,
    configure: async (app) => {
      app
        .getHttpAdapter()
        .getInstance()
        .addHook('onRoute', ({ method, url }) =>
          [method].flat().forEach((one) => onRoute({ method: one, url })),
        );
      await http?.configure?.(app);
    },
  };
}
