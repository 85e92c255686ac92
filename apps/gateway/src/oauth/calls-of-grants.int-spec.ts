import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ToolCallJob, ToolCallOutcome } from '@switchyard/contracts';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import type { TestGateway } from '../gateway-harness-spec.js';
import { connect, OAuthHarness, type TestUser, type Tokens } from './oauth-harness-spec.js';

let harness: OAuthHarness;
let gateway: TestGateway;
let providerId: string;
let bob: TestUser;
let kitId: string;

beforeAll(async () => {
  harness = await OAuthHarness.open();
  const { gateways } = harness;
  for (const slug of ['alpha', 'beta']) await gateways.addIntegration(slug, [{ name: 'read' }]);
  await harness.addPolicy(['alpha', 'beta']);
  providerId = await harness.addProvider();
  bob = await harness.addUser('bob', providerId);
  kitId = await addToolset('kit', 'alpha');
  await addToolset('other', 'beta');
  gateways.work((job) => work(job));
  gateway = await gateways.startGateway();
}, 120_000);
afterAll(() => harness.close());

let runs: string[] = [];
/** Dispatch, as far as the gateway can see it. */
async function work(job: ToolCallJob): Promise<ToolCallOutcome> {
  const { callId, integrationId } = job.sealed.call;
  const rows = await harness.gateways.sql.query<{ slug: string }>(
    'SELECT slug FROM registry.integrations WHERE id = $1',
    [integrationId],
  );
  const result = textResult(`secret of ${rows[0]?.slug}`);
  runs.push(String(rows[0]?.slug));
  await harness.gateways.sql.query(
    `UPDATE dispatch.tool_calls SET status = 'completed', result = $2, ended_at = now(), auth_path = 'none' WHERE call_id = $1`,
    [callId, JSON.stringify(result)],
  );
  return completed(job, result);
}

describe('an Idempotency-Key', () => {
  it('is another one at another toolset, and in the hands of another client', async () => {
    const [kit, other] = [`${gateway.mcpUrl}/kit`, `${gateway.mcpUrl}/other`];
    const first = await connect(harness.signIn(gateway, bob), { resource: kit });
    const second = await connect(harness.signIn(gateway, bob), { resource: other });
    const third = await connect(harness.signIn(gateway, bob), { resource: kit });
    runs = [];
    expect(await read(kit, first)).toBe('secret of alpha');
    expect(await read(other, second)).toBe('secret of beta');
    expect(await read(kit, third)).toBe('secret of alpha');
    expect(await read(kit, first)).toBe('secret of alpha');
    expect(runs).toEqual(['alpha', 'beta', 'alpha']);
  });

  it('gives no call of another tool that had the name before', async () => {
    const kit = `${gateway.mcpUrl}/kit`;
    const tokens = await connect(harness.signIn(gateway, bob), { resource: kit });
    expect(await read(kit, tokens, 'kept')).toBe('secret of alpha');
    await harness.gateways.sql.query('UPDATE registry.toolsets SET mcp_configs = $2 WHERE id = $1', [
      ...[kitId, configsOf('beta')],
    ]);
    await harness.gateways.registryChanged(kitId);
    await until(async () => expect(await read(kit, tokens, randomUUID())).toBe('secret of beta'));
    expect(await read(kit, tokens, 'kept')).toContain('idempotency_conflict');
  });
});

/** Reads at a toolset of bare names, where two of them name two servers' tools alike. */
async function read(url: string, { access_token }: Tokens, key = 'one'): Promise<string> {
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'read', arguments: {} } };
  const { body } = await rpc(url, call, { ...bearer(access_token), 'idempotency-key': key });
  return body.result.content[0].text;
}

function configsOf(integration: string): string {
  return JSON.stringify([{ mcp_client_name: integration, tools_to_execute: ['*'] }]);
}

async function addToolset(slug: string, integration: string): Promise<string> {
  const id = randomUUID();
  await harness.gateways.sql.query(
    `INSERT INTO registry.toolsets (id, organization_id, slug, name, prefix, tool_mode, mcp_configs, virtual_key_ids, user_ids, roles)
     VALUES ($1, $2, $3, $3, false, 'all', $4, '{}', $5, '{}')`,
    [id, bob.orgId, slug, configsOf(integration), [bob.id]],
  );
  await harness.gateways.registryChanged(id);
  return id;
}
