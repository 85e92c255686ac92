import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { httpTransport, openModel, withRegistry } from '../../test-fixtures/registry-under-test.js';

const registry = withRegistry();
const document = async () => (await registry().get('/api/openapi.json')).body;

type Operation = {
  operationId: string;
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
  parameters?: { name: string; in: string }[];
  requestBody?: object;
};

async function operations(): Promise<[string, Operation][]> {
  const { paths } = (await document()) as { paths: Record<string, Record<string, Operation>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
}

describe('the OpenAPI document', () => {
  it('is 3.1 and has every route of the registry and the async API', async () => {
    const { openapi, paths } = await document();
    expect(openapi).toBe('3.1.0');
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const routed = registry()
      .routes.filter(
        ({ method, url }) => method !== 'HEAD' && url.startsWith('/api') && url !== '/api/openapi.json',
      )
      .map(({ method, url }) => `${method} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(described).toEqual(expect.arrayContaining(routed));
    expect(described).toEqual(
      expect.arrayContaining([
        'GET /api/tool-calls',
        'POST /api/tool-calls',
        'GET /api/tool-calls/{id}',
        'POST /api/tool-calls/{id}/cancel',
        'POST /api/bff/tools/call',
        'POST /v1/mcp/tool/execute',
        'DELETE /api/oauth/grants/{id}',
      ]),
    );
  });

  it('refers to nothing that is not in it', async () => {
    const whole = await document();
    const refs = new Set(
      [...JSON.stringify(whole).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
        ([, name]) => name,
      ),
    );
    expect([...refs].filter((name) => !(name! in whole.components.schemas))).toEqual([]);
    expect(refs.size).toBeGreaterThan(10);
  });

  it('names each operation once, and describes parameters, bodies, answers and errors', async () => {
    const all = await operations();
    expect(new Set(all.map(([, { operationId }]) => operationId)).size).toBe(all.length);
    for (const [name, { responses, parameters = [], requestBody }] of all) {
      if (name.includes('{id}'))
        expect({ name, parameters: parameters.map((one) => one.name) }).toEqual({
          name,
          parameters: expect.arrayContaining(['id']),
        });
      if (name.startsWith('PATCH'))
        expect({ name, requestBody }).toEqual({ name, requestBody: expect.anything() });
      const success = Object.entries(responses).filter(
        ([status, { content }]) => status.startsWith('2') && (status === '204' || content),
      );
      expect({ name, isAnswered: success.length > 0 }).toEqual({ name, isAnswered: true });
      expect(Object.keys(responses)).toContain('401');
    }
  });

  it('has schemas that are JSON Schema and fit what is really answered', async () => {
    const { components } = await document();
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    ajv.addSchema({ $id: 'urn:openapi:document', components });
    const fits = (schema: string, value: unknown) => {
      const isValid = ajv.validate({ $ref: `urn:openapi:document#/components/schemas/${schema}` }, value);
      return { schema, isValid, errors: ajv.errors };
    };
    const { body: integration } = await registry().post('/api/integrations', {
      slug: 'fits',
      transport: httpTransport,
    });
    const { body: key } = await registry().post('/api/virtual-keys', { name: 'fits' });
    const { body: problem } = await registry().post('/api/virtual-keys', {});
    const { body: imported } = await registry().post('/api/import', {
      mcpServers: { fits: { url: httpTransport.url }, bad: {} },
    });
    const { body: provider } = await registry().post('/api/identity-providers', {
      issuer: 'https://93.184.216.34',
      audience: 'fits',
      client_id: 'fits',
    });
    const { body: policy } = await registry().post('/api/policies', {
      name: 'fits',
      mcp_configs: [{ mcp_client_name: 'later' }],
    });
    const { body: consented } = await registry().post('/api/integrations', {
      slug: 'consented',
      transport: httpTransport,
      auth_mode: 'authorization_code',
      oauth: { client_id: 'a', scopes: ['b'] },
      client_secret: 'c',
      service_user_id: await registry().user('fits'),
    });
    const { body: group } = await registry().post('/api/tool-groups', {
      name: 'fits',
      selectors: [{ tool: 'a*', read_only: true }],
    });
    const matchers = [
      { path: 'a', operator: 'IN', value: ['b', 1] },
      { path: 'c', operator: 'EXISTS' },
    ];
    const { body: asking } = await registry().post('/api/policies', {
      name: 'x',
      matchers,
      group_ids: [group.id],
    });
    const { body: preview } = await registry().post('/api/policies/preview', { claims: { a: 'b' } });
    const { body: toolset } = await registry().post('/api/toolsets', {
      slug: 'fits',
      name: 'fits',
      mcp_configs: [{ mcp_client_name: 'later', tools: { a: { name: 'b' } } }],
    });
    const granted = { grants: [{ mcp_client_name: 'fits' }], tool_policies: { fits_a: 'auto_execute' } };
    const { body: agent } = await registry().post('/api/agents', {
      slug: 'fits',
      model: openModel,
      ...granted,
    });
    const its = `/api/agents/${agent.id}`;
    const rule = { name: 'x', input: 'x', interval_s: 60 };
    const { body: schedule } = await registry().post(`${its}/schedules`, rule);
    const { body: webhook } = await registry().post(`${its}/webhooks`, { name: 'x', input: 'x' });
    const { body: users } = await registry().get('/api/users');
    const { body: discovery } = await registry().post('/api/integrations/discover', {
      url: httpTransport.url,
    });
    for (const one of [policy, asking])
      expect(fits('Policy', one)).toEqual({ schema: 'Policy', isValid: true, errors: null });
    for (const one of [integration, consented])
      expect(fits('Integration', one)).toEqual({ schema: 'Integration', isValid: true, errors: null });
    const values = {
      IdentityProvider: provider,
      ToolGroup: group,
      PolicyPreview: preview,
      Toolset: toolset,
      Agent: (await registry().get(its)).body,
      AgentTools: (await registry().get(`${its}/tools?context=chat`)).body,
      AgentSchedule: schedule,
      NewAgentWebhook: webhook,
      AgentWebhook: (await registry().get(`${its}/webhooks/${webhook.id}`)).body,
      RunsBegun: (await registry().post(`${its}/schedules/${schedule.id}/run`)).body,
      User: users.items[0],
      OAuthDiscovery: discovery,
      NewVirtualKey: key,
      Problem: problem,
      ImportOutcome: imported,
      ChatAnswer: chatAnswer,
    };
    for (const [schema, value] of Object.entries(values))
      expect(fits(schema, value)).toEqual({ schema, isValid: true, errors: null });
    for (const schema of Object.keys(components.schemas))
      expect(() => ajv.getSchema(`urn:openapi:document#/components/schemas/${schema}`)).not.toThrow();
  });
});

const uuid = '01a22d6c-b93a-8d78-a6a2-e569b2f5060d';

/** As the agent runner answers; another service has it, so that it is written down here. */
const chatAnswer = {
  ...{ run_id: uuid, conversation_id: uuid, status: 'waiting_approval' },
  message: { id: uuid, role: 'assistant', metadata: { run_id: uuid }, parts: [{ type: 'step-start' }] },
  ...{ output: null, error: null },
  usage: { input_tokens: 7, output_tokens: 3, total_tokens: null },
  pending: [
    {
      ...{ type: 'approval_required', state: 'waiting', approval_id: uuid, tool_call_id: uuid },
      ...{ tool: 'up_add', integration: 'up', description: null, arguments: { at: 0 } },
      risk: { read_only: false, destructive: true, idempotent: false, open_world: true },
      ...{ expires_at: '2026-12-01T16:58:09.020Z', may_decide: true },
      ...{ approve_url: `/api/approvals/${uuid}/approve`, deny_url: `/api/approvals/${uuid}/deny` },
    },
    {
      ...{ type: 'needs_reauth', state: 'waiting', call_id: uuid, tool_call_id: uuid },
      ...{ integration: 'up', reauth_url: null },
    },
  ],
  refused: [{ approval_id: uuid, code: 'conflict', message: 'The call was approved already.' }],
  extra_fields: {
    pending_mcp_tools: [
      {
        client_name: 'up',
        tool: { type: 'function', function: { name: 'up_add', description: '', parameters: {} } },
        tool_call: { id: uuid, type: 'function', function: { name: 'up_add', arguments: '{"at":0}' } },
        approval_id: uuid,
      },
    ],
  },
};
