import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ToolCallJob } from '@switchyard/contracts';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { compactDecrypt, type CryptoKey, generateKeyPair } from 'jose';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';
import { People } from '../gateway-people-spec.js';

const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
const callOf = (name: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: {} },
});

describe('users with tokens of their organization’s identity provider', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let people: People;
  let brokerKey: CryptoKey;
  const jobs: ToolCallJob[] = [];

  const toolsOf = async (token: string) =>
    (await rpc(gateway.mcpUrl, list, bearer(token))).body.result?.tools.map(
      (tool: { name: string }) => tool.name,
    );

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    harness.work((job) => {
      jobs.push(job);
      return Promise.resolve(completed(job, textResult('ran')));
    });
    people = await People.join(harness);
    brokerKey = await people.addBrokerKey();
    await harness.addIntegration('mail', [{ name: 'read' }, { name: 'send' }]);
    await harness.addIntegration('graph', [{ name: 'search' }], { columns: { auth_mode: 'token_exchange' } });
    gateway = await harness.startGateway();
    await people.addPolicy({ mail: ['read'], graph: ['*'] });
    await people.addPolicy({ mail: ['send'] }, ['writer']);
    const token = await people.tokenOf('warm-up');
    await until(async () => expect(await toolsOf(token)).toEqual(['graph_search', 'mail_read']));
  }, 120_000);
  afterAll(() => harness.close());

  it('have the tools of their roles’ policies, and call them as themselves', async () => {
    const token = await people.tokenOf('ann', { roles: ['writer'] });
    expect(await toolsOf(token)).toEqual(['graph_search', 'mail_read', 'mail_send']);
    const answer = await rpc(gateway.mcpUrl, callOf('mail_send'), bearer(token));
    expect(answer.body.result.content).toEqual([{ type: 'text', text: 'ran' }]);
    const { sealed, subjectToken } = jobs.at(-1) as ToolCallJob;
    expect(sealed.call.caller).toMatchObject({
      ...{ kind: 'user', userId: people.users.get('ann'), virtualKeyId: null },
      ...{ roles: ['writer'], hasSubjectToken: true, runKind: 'mcp' },
    });
    expect([subjectToken, sealed.call.subjectTokenSha256]).toEqual([undefined, null]);
  });

  it('keep a next token with other roles apart from the one before', async () => {
    expect(await toolsOf(await people.tokenOf('ben', { roles: ['writer'] }))).toContain('mail_send');
    expect(await toolsOf(await people.tokenOf('ben'))).not.toContain('mail_send');
  });

  it('send their token along where it is to be exchanged, and only sealed to the broker', async () => {
    const token = await people.tokenOf('cat');
    for (const face of ['mcp', 'async'] as const) {
      const before = jobs.length;
      if (face === 'mcp') await rpc(gateway.mcpUrl, callOf('graph_search'), bearer(token));
      else await rpc(`${gateway.url}/api/tool-calls`, { tool: 'graph_search' }, bearer(token));
      await until(() => expect(jobs.length).toBe(before + 1));
      const job = jobs.at(-1) as ToolCallJob;
      expect(JSON.stringify(job)).not.toContain(token);
      const { plaintext } = await compactDecrypt(job.subjectToken ?? '', brokerKey);
      expect(new TextDecoder().decode(plaintext)).toBe(token);
    }
    const digests = jobs.slice(-2).map(({ sealed }) => sealed.call.subjectTokenSha256);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(digests[1]).toBe(digests[0]);
    const rows = await harness.sql.query<{ subject_token: string | null }>(
      `SELECT subject_token FROM dispatch.tool_calls WHERE ledger_first AND subject_token IS NOT NULL`,
    );
    expect(rows).toHaveLength(1);
    await harness.sql.query(`UPDATE dispatch.tool_calls SET ended_at = now() WHERE ledger_first`);
    const left = await harness.sql.query(`SELECT 1 FROM dispatch.tool_calls WHERE subject_token IS NOT NULL`);
    expect(left).toEqual([]);
  });

  it('see their own calls, and not those of others of the organization', async () => {
    const mine = await people.tokenOf('dan');
    const { body } = await rpc(`${gateway.url}/api/tool-calls`, { tool: 'mail_read' }, bearer(mine));
    const read = async (token: string) =>
      (await fetch(`${gateway.url}/api/tool-calls/${body.call_id}`, { headers: bearer(token) })).status;
    expect(await read(mine)).toBe(200);
    expect(await read(await people.tokenOf('dan'))).toBe(200);
    expect(await read(await people.tokenOf('eve'))).toBe(404);
    expect(await read((await harness.addKey()).key)).toBe(404);
  });

  it.each([
    [
      'unsigned',
      async () => `${btoa('{"alg":"none"}')}.${btoa('{"sub":"a"}')}.`.replaceAll('=', ''),
      'unauthenticated',
    ],
    ['of another audience', () => people.tokenOf('a', { aud: 'https://other.example' }), 'unauthenticated'],
    ['of another issuer', () => people.tokenOf('a', { iss: 'https://other.example' }), 'unauthenticated'],
    ['expired', () => people.tokenOf('a', { exp: Math.floor(Date.now() / 1000) - 3_600 }), 'token_expired'],
    [
      'signed by a stranger',
      async () => people.tokenOf('a', {}, (await generateKeyPair('RS256')).privateKey),
      'unauthenticated',
    ],
  ])(
    'are refused with a token that is %s, with the challenge and an audit row',
    async (_what, make, code) => {
      const before = people.audited.length;
      const token = await make();
      for (const url of [gateway.mcpUrl, `${gateway.url}/api/tool-calls`]) {
        const answer = await rpc(url, list, bearer(token));
        expect([answer.status, answer.body.code]).toEqual([401, code]);
        expect(answer.headers.get('www-authenticate')).toContain('resource_metadata=');
        expect(JSON.stringify(answer.body)).not.toContain(token);
      }
      await until(() => expect(people.audited.length).toBe(before + 2));
      expect(people.audited.at(-1)).toMatchObject({ action: 'caller_refused', result: 'refused', code });
      expect(JSON.stringify(people.audited)).not.toContain(token);
    },
  );

  it('lose what they hold within two seconds of being deactivated', async () => {
    const token = await people.tokenOf('fay');
    const stream = await fetch(gateway.mcpUrl, {
      headers: { ...bearer(token), accept: 'text/event-stream' },
    });
    expect(stream.status).toBe(200);
    await people.deactivate('fay');
    await until(async () => {
      const answer = await rpc(gateway.mcpUrl, list, bearer(token));
      expect([answer.status, answer.body.code]).toEqual([403, 'user_inactive']);
    });
    expect(await stream.text()).toContain('connection/opened');
  });

  // The last one: nobody's token is any good afterwards.
  it('lose what they hold with the identity provider that is switched off', async () => {
    const token = await people.tokenOf('gus');
    const stream = await fetch(gateway.mcpUrl, {
      headers: { ...bearer(token), accept: 'text/event-stream' },
    });
    expect(stream.status).toBe(200);
    await people.distrust();
    expect(await stream.text()).toContain('connection/opened');
    const answer = await rpc(gateway.mcpUrl, list, bearer(token));
    expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
  });
});
