/** A registry over a database and a queue of its own, with both ends of its queues, for one test file. */
import { afterAll, beforeAll } from '@jest/globals';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DEFAULT_ORGANIZATION_ID, queues } from '@switchyard/contracts';
import type { StdioAllowlist, UserRecord } from '@switchyard/contracts';
import { QueueClient } from '@switchyard/queue';
import { startService } from '@switchyard/service-kit';
import type { RunningService } from '@switchyard/service-kit';
import { testAudience, testDatabase, testPrefix, testRedisUrl } from '@switchyard/testing';
import type { TestDatabase, TokenIssuer } from '@switchyard/testing';
import { registryEnv, toRegistryConfig } from '../src/config.js';
import { registryHttp } from '../src/http/registry-http.js';
import { RegistryModule } from '../src/registry.module.js';
import { FakeOwners } from './fake-owners.js';

export const operatorKey = 'operator-key-of-the-tests';
const sealKey = 'seal-key-of-the-tests-0123456789abcdef';

const stdioAllowlist: StdioAllowlist = [
  {
    name: 'files',
    command: '/usr/bin/files',
    args: ['--serve'],
    argument_pattern: '/data/[a-z]+',
    env: ['FILES_TOKEN'],
    organizations: ['*'],
  },
  { name: 'private', command: '/usr/bin/private', args: [], env: [], organizations: ['default'] },
];

// An answer of unknown shape: tests look at the fields that they name.
export type Answer = { status: number; body: any; headers: Headers };
export type LocalTools = { folder?: string; slug?: string };
export type RegistryOptions = {
  queueUrl?: string;
  allowPrivate?: boolean;
  publicUrl?: string;
  localTools?: LocalTools;
};
export type Route = { method: string; url: string };
type Sent = { key?: string | null; body?: unknown; headers?: Record<string, string> };

export class RegistryUnderTest {
  readonly routes: Route[] = [];
  private constructor(
    readonly database: TestDatabase,
    readonly queue: QueueClient,
    readonly owners: FakeOwners,
  ) {}

  private service!: RunningService;
  /** Starts it, on the same stores. */
  private serveAgain!: (localTools: LocalTools) => Promise<void>;

  static async start({
    queueUrl,
    allowPrivate,
    publicUrl,
    localTools = {},
  }: RegistryOptions = {}): Promise<RegistryUnderTest> {
    const [database, url, prefix] = [await testDatabase(), queueUrl ?? (await testRedisUrl()), testPrefix()];
    const queue = await QueueClient.connect({ url, sealKey, service: 'test', prefix });
    const registry = new RegistryUnderTest(database, queue, await FakeOwners.start(queue, database.adminUrl));
    registry.serveAgain = ({ folder, slug }) =>
      registry.serve(url, prefix, {
        SWITCHYARD_EGRESS_ALLOW_PRIVATE: String(allowPrivate ?? false),
        SWITCHYARD_PUBLIC_URL: publicUrl,
        SWITCHYARD_LOCAL_TOOLS: folder,
        SWITCHYARD_LOCAL_TOOLS_SLUG: slug,
      });
    await registry.serveAgain(localTools);
    return registry;
  }

  /** Ends the service and starts it with another setting. */
  async restart(localTools: LocalTools = {}): Promise<void> {
    await this.service.close();
    await this.serveAgain(localTools);
  }

  async close(): Promise<void> {
    await this.service.close();
    await this.queue.close({ limitMs: 100 });
    await this.database.close();
  }

  /** With the operator's key unless another, or `null` for none, is given. */
  async send(method: string, path: string, { key = operatorKey, body, headers }: Sent = {}): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.service.httpPort}${path}`, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? null : JSON.parse(text),
      headers: response.headers,
    };
  }

  get(path: string, key?: string): Promise<Answer> {
    return this.send('GET', path, { key });
  }

  post(path: string, body?: unknown, key?: string): Promise<Answer> {
    return this.send('POST', path, { body, key });
  }

  patch(path: string, body: unknown, key?: string): Promise<Answer> {
    return this.send('PATCH', path, { body, key });
  }

  /** An organization of its own and its admin key. */
  async organization(slug: string): Promise<{ id: string; key: string }> {
    const { body } = await this.post('/api/organizations', { slug, name: slug });
    return { id: body.id as string, key: body.admin_key as string };
  }

  /** A registered HTTP server. */
  async integration(
    fields: { slug: string } & Record<string, unknown>,
    key?: string,
  ): Promise<Answer['body']> {
    const { status, body } = await this.post(
      '/api/integrations',
      { transport: httpTransport, ...fields },
      key,
    );
    if (status !== 201) throw new Error(JSON.stringify(body));
    return body;
  }

  /** An agent of a model that needs no key. */
  async agent(fields: { slug: string } & Record<string, unknown>, key?: string): Promise<Answer['body']> {
    const { status, body } = await this.post('/api/agents', { model: openModel, ...fields }, key);
    if (status !== 201) throw new Error(JSON.stringify(body));
    return body;
  }

  /** The id of a user, as a face would have made them known. */
  async user(subject: string, orgId: string = DEFAULT_ORGANIZATION_ID): Promise<string> {
    const names = { username: subject, email: `${subject}@example.com`, displayName: null };
    const person: UserRecord = { v: 1, orgId, issuer: 'https://id.example', subject, ...names, roles: [] };
    const answer = await this.queue.request(queues.userRecords, person, { timeoutMs: 5_000 });
    if (answer.status !== 'known') throw new Error(JSON.stringify(answer));
    return answer.userId;
  }

  /** Trusts an issuer of tokens, for the organization of the key. */
  async trust(
    issuer: TokenIssuer,
    fields: Record<string, unknown> = {},
    key?: string,
  ): Promise<Answer['body']> {
    const settings = { issuer: issuer.issuer, audience: testAudience, client_id: 'switchyard', ...fields };
    const { status, body } = await this.post('/api/identity-providers', settings, key);
    if (status !== 201) throw new Error(JSON.stringify(body));
    return body;
  }

  private async serve(
    queueUrl: string,
    prefix: string,
    settings: Record<string, string | undefined>,
  ): Promise<void> {
    const env = registryEnv.parse({
      SWITCHYARD_ENV: 'development',
      LOG_LEVEL: 'silent',
      SWITCHYARD_SEAL_KEY: sealKey,
      QUEUE_URL: queueUrl,
      REGISTRY_DATABASE_URL: this.database.urls.registry,
      REGISTRY_ADMIN_KEY: operatorKey,
      ...settings,
    });
    const config = toRegistryConfig(env, stdioAllowlist);
    const configure = (app: NestFastifyApplication) => {
      app
        .getHttpAdapter()
        .getInstance()
        .addHook('onRoute', ({ method, url }) => {
          for (const one of [method].flat()) this.routes.push({ method: one, url });
        });
      registryHttp.configure(app);
    };
    const module = RegistryModule.forRoot(config, { queuePrefix: prefix });
    this.service = await startService({
      config: config.service,
      module,
      http: { ...registryHttp, configure },
    });
  }
}

export const openModel = {
  provider: 'openai_compatible',
  base_url: 'https://93.184.216.34/v1',
  model: 'small',
};
export const httpTransport = { type: 'http', url: 'https://93.184.216.34/mcp' };

/** Starts a registry before the tests of the file and ends it after them. */
export function withRegistry(options: RegistryOptions = {}): () => RegistryUnderTest {
  let registry: RegistryUnderTest | undefined;
  beforeAll(async () => {
    registry = await RegistryUnderTest.start(options);
  }, 120_000);
  afterAll(() => registry?.close());
  return () => {
    if (!registry) throw new Error('the registry is there only inside tests and hooks');
    return registry;
  };
}
