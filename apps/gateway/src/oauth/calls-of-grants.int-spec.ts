import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ToolCallJob, ToolCallOutcome } from '@switchyard/contracts';
import { eventually } from '@switchyard/testing';
import { decodeJwt } from 'jose';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import type { TestGateway } from '../gateway-harness-spec.js';
import { connect, OAuthHarness, refresh, type TestUser, type Tokens } from './oauth-harness-spec.js';

let harness: OAuthHarness;
let gateway: TestGateway;
let providerId: string;
let bob: TestUser;
let kitId: string;
let cancelled: string[];
const held: ToolCallJob[] = [];
const over = Promise.withResolvers<void>();

beforeAll(async () => {
  harness = await OAuthHarness.open();
  const { gateways } = harness;
  for (const slug of ['alpha', 'beta'])
    await gateways.addIntegration(slug, [{ name: 'read' }, { name: 'hold' }]);
  await harness.addPolicy(['alpha', 'beta']);
  providerId = await harness.addProvider();
  bob = await harness.addUser('bob', providerId);
  kitId = await addToolset('kit', 'alpha');
  await addToolset('other', 'beta');
  gateways.work((job) => work(job));
  cancelled = gateways.takeCancellations();
  gateway = await gateways.startGateway();
}, 120_000);
afterAll(async () => {
  over.resolve();
  await harness.close();
});

let runs: string[] = [];
/** Dispatch, as far as the gateway can see it. */
async function work(job: ToolCallJob): Promise<ToolCallOutcome | void> {
  const { callId, integrationId, tool } = job.sealed.call;
  if (tool === 'hold') {
    held.push(job);
    return over.promise;
  }
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

describe('a call with an Idempotency-Key, whose caller may come back for it', () => {
  it.each([
    ['legacy', {}, {}],
    [
      'modern',
      { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'alpha_hold' },
      {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    ],
  ])('is cancelled once its %s client’s grant is revoked', async (_era, headers, _meta) => {
    await cancelsByRevocation({ headers, _meta });
  });

  it('runs on when merely its access token has run out', async () => {
    const brief = await harness.gateways.startGateway({
      ...{ GATEWAY_OAUTH_ACCESS_TTL: '3s', GATEWAY_PUBLIC_URL: gateway.url },
    });
    const first = await connected();
    const { body: next } = await refresh(brief, first);
    await hold(brief, { ...first, ...next });
    const job = held.find((one) => grantOf(one) === first.grantId);
    expect(job).toBeDefined();
    // By then a cancellation of the first would have come too.
    await cancelsByRevocation({});
    expect(cancelled).not.toContain(job?.sealed.call.callId);
  });
});

describe('event streams', () => {
  it('are counted for a user, whatever tokens of theirs they are opened with', async () => {
    const narrow = await harness.gateways.startGateway({
      ...{ GATEWAY_STREAMS_PER_KEY: '2', GATEWAY_PUBLIC_URL: gateway.url },
    });
    const [ann, eve] = [await harness.addUser('ann', providerId), await harness.addUser('eve', providerId)];
    let abort = new AbortController();
    const open = async ({ access_token }: Tokens): Promise<number> => {
      const headers = { ...bearer(access_token), accept: 'text/event-stream' };
      return (await fetch(narrow.mcpUrl, { headers, signal: abort.signal })).status;
    };
    const one = await connect(harness.signIn(gateway, ann));
    const two = await connect(harness.signIn(gateway, ann));
    const { body: renewed } = await refresh(gateway, one);
    expect([await open(one), await open(two)]).toEqual([200, 200]);
    expect([await open(renewed), await open(two)]).toEqual([429, 429]);
    expect(await open(await connect(harness.signIn(gateway, eve)))).toBe(200);
    abort.abort();
    abort = new AbortController();
    await until(async () => expect(await open(renewed)).toBe(200));
    abort.abort();
  });
});

type Asked = { readonly headers?: Record<string, string>; readonly _meta?: object };

async function cancelsByRevocation(asked: Asked): Promise<void> {
  const tokens = await connected();
  const answer = hold(gateway, tokens, asked);
  const job = await eventually(() => held.find((one) => grantOf(one) === tokens.grantId));
  const body = new URLSearchParams({ token: tokens.refresh_token, client_id: tokens.clientId });
  await fetch(`${gateway.url}/oauth2/revoke`, { method: 'POST', body });
  await until(() => expect(cancelled).toContain(job.sealed.call.callId));
  await answer;
}

/** Ends when the gateway ends the exchange, which may be without an answer. */
async function hold(at: TestGateway, { access_token }: Tokens, { headers, _meta }: Asked = {}) {
  const params = { name: 'alpha_hold', arguments: {}, _meta };
  const keyed = { ...bearer(access_token), ...headers, 'idempotency-key': randomUUID() };
  await rpc(at.mcpUrl, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, keyed).catch(() => undefined);
}

async function connected() {
  const tokens = await connect(harness.signIn(gateway, bob));
  return { ...tokens, grantId: String(decodeJwt(tokens.access_token)['grant_id']) };
}

function grantOf({ sealed }: ToolCallJob): string | undefined {
  return sealed.call.caller.oauthGrantId;
}

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
