import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  DEFAULT_ORGANIZATION_ID,
  PlatformError,
  type ToolCallJob,
  type ToolCallOutcome,
  topics,
} from '@switchyard/contracts';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { bearer, completed, textResult } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';
import { People } from '../gateway-people-spec.js';

const payUrl = 'https://pay.example.com/sign-in';

/** A worker that runs the call once its user has connected, and before says where. */
describe('a call for which its user has to connect', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let people: People;
  let integrationId: string;
  let reauthUrl: string;
  let token: string;
  let isConnected = false;
  let calls = 0;
  /** How often the server of 2025-11-25 refuses until its own page was opened. */
  let refusals = 0;

  const connect = async () => {
    isConnected = true;
    const userId = people.users.get('ann') as string;
    const event = { orgId: DEFAULT_ORGANIZATION_ID, integrationId, userId, state: 'active' } as const;
    await harness.queue.publish(topics.credentialChanged, event);
  };
  const modern = async (
    capabilities: object,
    onElicit?: (params: any) => Promise<{ action: 'accept' | 'decline' }>,
  ) => {
    const client = new Client(
      { name: 'modern', version: '1' },
      { versionNegotiation: { mode: 'auto' }, capabilities: capabilities as never },
    );
    if (onElicit) client.setRequestHandler('elicitation/create', ({ params }) => onElicit(params) as never);
    await client.connect(
      new StreamableHTTPClientTransport(new URL(gateway.mcpUrl), { requestInit: { headers: bearer(token) } }),
    );
    harness.onClose(() => client.close());
    return client;
  };
  const legacy = async (capabilities: object) => {
    const client = new LegacyClient({ name: 'legacy', version: '1' }, { capabilities });
    await client.connect(
      new LegacyTransport(new URL(gateway.mcpUrl), { requestInit: { headers: bearer(token) } }),
    );
    harness.onClose(() => client.close());
    return client;
  };
  const needPage = (job: ToolCallJob): ToolCallOutcome => {
    if (refusals-- <= 0) return completed(job, textResult('paid'));
    const details = {
      ...{ upstream_code: -32042, upstream_message: 'URL elicitation required' },
      upstream_data: {
        elicitations: [{ mode: 'url', message: 'Sign in', url: payUrl, elicitationId: 'sign-in-1' }],
      },
    };
    const error = new PlatformError('upstream_protocol_error', { details }).toInfo();
    return { status: 'failed', callId: job.sealed.call.callId, authPath: 'none', error };
  };
  const payNeed = { name: 'pay_need', arguments: {} };
  const mailSend = { name: 'mail_send', arguments: {} };

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    harness.work((job) => {
      calls++;
      if (job.sealed.call.tool === 'need') return Promise.resolve(needPage(job));
      if (isConnected) return Promise.resolve(completed(job, textResult('sent')));
      const details = { integration: 'mail', integration_id: integrationId, reauth_url: reauthUrl };
      const error = new PlatformError('needs_reauth', { details }).toInfo();
      const { callId } = job.sealed.call;
      return Promise.resolve({ status: 'failed', callId, authPath: 'needs_reauth', error } as const);
    });
    people = await People.join(harness);
    integrationId = await harness.addIntegration('mail', [{ name: 'send' }], {
      columns: { auth_mode: 'authorization_code' },
    });
    await harness.addIntegration('pay', [{ name: 'need' }]);
    await people.addPolicy({ mail: ['*'], pay: ['*'] });
    gateway = await harness.startGateway();
    reauthUrl = `${gateway.url}/integrations/${integrationId}/connect`;
    token = await people.tokenOf('ann');
  }, 120_000);
  afterAll(() => harness.close());
  beforeEach(() => {
    isConnected = false;
    calls = 0;
  });

  it.each([
    ['no elicitation', {}],
    ['forms alone', { elicitation: {} }],
  ])(
    'is answered in text and structure to clients of both eras that declare %s',
    async (_what, capabilities) => {
      for (const client of [await legacy(capabilities), await modern(capabilities)]) {
        const result: any = await client.callTool(mailSend);
        expect(result).toMatchObject({
          isError: true,
          structuredContent: {
            code: 'needs_reauth',
            details: { integration: 'mail', reauth_url: reauthUrl },
          },
        });
        expect(result.content[1].text).toContain(`Open ${reauthUrl} and connect`);
      }
    },
  );

  it('asks a legacy client that opens URLs to open the page, and goes through once the user has connected', async () => {
    const client = await legacy({ elicitation: { url: {} } });
    await expect(client.callTool(mailSend)).rejects.toMatchObject({
      code: -32042,
      data: { elicitations: [{ mode: 'url', url: reauthUrl, elicitationId: expect.any(String) }] },
    });
    await connect();
    expect(await client.callTool(mailSend)).toMatchObject({ content: [{ type: 'text', text: 'sent' }] });
  });

  it('asks a modern client that opens URLs within the call, whose retry waits for the user', async () => {
    const asked: unknown[] = [];
    const client = await modern({ elicitation: { url: {} } }, async (params) => {
      asked.push(params);
      // The user reads and signs in while the client has retried already.
      setTimeout(() => void connect().catch(() => undefined), 300);
      return { action: 'accept' };
    });
    const result = await client.callTool(mailSend);
    expect(result).toMatchObject({ content: [{ type: 'text', text: 'sent' }] });
    expect(asked).toMatchObject([{ mode: 'url', url: reauthUrl }]);
    expect(calls).toBe(3);
  });

  it('asks once: a user who declines gets the error', async () => {
    const client = await modern({ elicitation: { url: {} } }, async () => ({ action: 'decline' }));
    expect(await client.callTool(mailSend)).toMatchObject({
      isError: true,
      structuredContent: { code: 'needs_reauth' },
    });
    expect(calls).toBe(2);
  });

  it('hands a server’s own page on to each client that opens URLs, again until the server has what it wants', async () => {
    refusals = 1;
    const before = await legacy({ elicitation: { url: {} } });
    await expect(before.callTool(payNeed)).rejects.toMatchObject({
      code: -32042,
      data: { elicitations: [{ mode: 'url', url: payUrl, elicitationId: 'sign-in-1' }] },
    });
    refusals = 2;
    const asked: unknown[] = [];
    const client = await modern({ elicitation: { url: {} } }, async (params) => {
      asked.push(params);
      return { action: 'accept' };
    });
    expect(await client.callTool(payNeed)).toMatchObject({ content: [{ type: 'text', text: 'paid' }] });
    const page = { mode: 'url', message: 'Sign in', url: payUrl };
    expect(asked).toMatchObject([page, page]);
  });

  it('says that the page was not opened where the user declines a server’s own', async () => {
    refusals = 2;
    const client = await modern({ elicitation: { url: {} } }, async () => ({ action: 'decline' }));
    expect(await client.callTool(payNeed)).toMatchObject({
      isError: true,
      structuredContent: { code: 'cancelled', message: expect.stringContaining('open a page') },
    });
  });

  it('names the capability to clients that open no URLs, where a server wants its own page opened', async () => {
    refusals = 2;
    const required = { elicitation: { url: {} } };
    expect(await (await legacy({ elicitation: {} })).callTool(payNeed)).toMatchObject({
      isError: true,
      structuredContent: {
        code: 'client_capability_missing',
        details: { required_capabilities: required },
      },
    });
    const client = await modern({ elicitation: { form: {} } });
    await expect(client.callTool(payNeed)).rejects.toMatchObject({
      code: -32021,
      data: { requiredCapabilities: required },
    });
  });
});
