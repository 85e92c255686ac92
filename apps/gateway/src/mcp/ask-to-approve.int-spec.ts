import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testPrefix, testRedisUrl } from '@switchyard/testing';
import { asksFirst, DispatchOfApprovals } from '../gateway-approvals-spec.js';
import { bearer } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';
import { People } from '../gateway-people-spec.js';

type Answer = { action: 'accept' | 'decline' | 'cancel'; content?: Record<string, unknown> };
type OnElicit = (params: any) => Promise<Answer>;
type Connect = (
  capabilities: object,
  onElicit?: OnElicit,
  credential?: string,
) => Promise<{ callTool: (call: any) => Promise<any> }>;

/** Both eras ask the same thing; how it travels is theirs. */
describe('a tool that its user has to approve at /mcp', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let people: People;
  let dispatch: DispatchOfApprovals;
  let token: string;
  let key: string;
  let ownKey: string;

  const modern: Connect = async (capabilities, onElicit, credential = token) => {
    const client = new Client(
      { name: 'modern', version: '1' },
      { versionNegotiation: { mode: 'auto' }, capabilities: capabilities as never },
    );
    if (onElicit) client.setRequestHandler('elicitation/create', ({ params }) => onElicit(params) as never);
    const requestInit = { headers: bearer(credential) };
    await client.connect(new StreamableHTTPClientTransport(new URL(gateway.mcpUrl), { requestInit }));
    harness.onClose(() => client.close());
    return client;
  };
  const legacy: Connect = async (capabilities, onElicit, credential = token) => {
    const client = new LegacyClient({ name: 'legacy', version: '1' }, { capabilities });
    if (onElicit) client.setRequestHandler(ElicitRequestSchema, ({ params }) => onElicit(params) as never);
    const requestInit = { headers: bearer(credential) };
    await client.connect(new LegacyTransport(new URL(gateway.mcpUrl), { requestInit }));
    harness.onClose(() => client.close());
    return client;
  };
  const write = (id: string, tool = 'up_write') => ({ name: tool, arguments: { id } });
  const ran = (id: string) => ({ content: [{ type: 'text', text: `ran ${id}` }] });
  const isRequired = {
    isError: true,
    structuredContent: { code: 'approval_required', details: { approval_id: expect.any(String) } },
  };
  const description = `Writes\u202E a row.\n${'x'.repeat(600)}`;
  const forms = { elicitation: { form: {} } };

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    dispatch = new DispatchOfApprovals(harness);
    people = await People.join(harness);
    await harness.addIntegration(
      'up',
      [{ name: 'write', description, annotations: { destructiveHint: true } }],
      {
        columns: asksFirst(),
      },
    );
    await harness.addIntegration('strict', [{ name: 'write' }], {
      columns: asksFirst({ selfApproval: false }),
    });
    await people.addPolicy({ up: ['*'], strict: ['*'] });
    ({ key } = await harness.addKey());
    gateway = await harness.startGateway({ SWITCHYARD_PUBLIC_URL: 'https://tools.example.com' });
    token = await people.tokenOf('ann');
    const own = await harness.addKey();
    ownKey = own.key;
    await legacy({});
    await harness.sql.query('UPDATE registry.virtual_keys SET user_id = $2 WHERE id = $1', [
      ...[own.id, people.users.get('ann')],
    ]);
    await harness.registryChanged(own.id);
  }, 120_000);
  afterAll(() => harness.close());

  describe.each([
    ['a legacy client', legacy],
    ['a modern client', modern],
  ])('%s', (era, connect) => {
    const id = (what: string) => `${era} ${what}`;

    it('is asked within the call, sees what would run, and gets the result', async () => {
      const asked: any[] = [];
      const client = await connect(forms, async (params) => {
        asked.push(params);
        return { action: 'accept', content: { approve: true } };
      });
      expect(await client.callTool(write(id('asked')))).toMatchObject(ran(id('asked')));
      expect(asked).toHaveLength(1);
      expect(asked[0].message).toContain('Allow write of up with these arguments?');
      expect(asked[0].message).toContain('destructive');
      expect(asked[0].message).toContain(id('asked'));
      expect(asked[0].message).toContain(`Its vendor says: "Writes\\u{202e} a row.\\n${'x'.repeat(485)}" …`);
      expect(asked[0].requestedSchema).toMatchObject({ required: ['approve'] });
      const { decider, approved } = dispatch.decisions.at(-1)!;
      expect({ decider, approved }).toMatchObject({
        decider: { kind: 'user', userId: people.users.get('ann'), isAdmin: false },
        approved: true,
      });
      // It was told: the same call asks again.
      expect(await client.callTool(write(id('asked')))).toMatchObject(ran(id('asked')));
      expect(asked).toHaveLength(2);
      expect(dispatch.timesRun(id('asked'))).toBe(2);
    });

    it('sees what is invisible in the arguments, and is not asked about what cannot be shown whole', async () => {
      const asked: string[] = [];
      const client = await connect(forms, async ({ message }) => {
        asked.push(message);
        return { action: 'decline' };
      });
      const hidden = id('hidden \u202Egnp.exe\u{E0041}\u200B');
      await client.callTool(write(hidden));
      expect(asked).toEqual([expect.stringContaining('hidden \\u{202e}gnp.exe\\u{e0041}\\u{200b}')]);
      expect(await client.callTool(write(id('y'.repeat(4_000))))).toMatchObject(isRequired);
      expect(asked).toHaveLength(1);
    });

    it.each<[string, Answer]>([
      ['says no', { action: 'accept', content: { approve: false, reason: 'not today' } }],
      ['declines', { action: 'decline' }],
      ['cancels', { action: 'cancel' }],
    ])('whose user %s is told that it was denied', async (what, answer) => {
      const client = await connect(forms, async () => answer);
      expect(await client.callTool(write(id(what)))).toMatchObject({
        ...{ isError: true, structuredContent: { code: 'approval_denied' } },
      });
      expect(dispatch.decisions.at(-1)).toMatchObject({ approved: false });
      expect(dispatch.timesRun(id(what))).toBe(0);
    });

    it.each<[string, object]>([
      ['declares no elicitation', {}],
      ['opens URLs alone', { elicitation: { url: {} } }],
    ])(
      'that %s is told where to approve, and finds the decision when it calls again, once',
      async (what, capabilities) => {
        const client = await connect(capabilities);
        const first = await client.callTool(write(id(what)));
        expect(first).toMatchObject(isRequired);
        const { approval_id: callId, approval_url: url } = first.structuredContent.details;
        expect(url).toBe(`https://tools.example.com/api/approvals/${callId}`);
        expect(first.content[1].text).toContain(url);
        expect((await client.callTool(write(id(what)))).structuredContent.details.approval_id).toBe(callId);
        await dispatch.decide(callId, true);
        expect(await client.callTool(write(id(what)))).toMatchObject(ran(id(what)));
        const anew = await client.callTool(write(id(what)));
        expect(anew).toMatchObject(isRequired);
        expect(anew.structuredContent.details.approval_id).not.toBe(callId);
        expect(dispatch.timesRun(id(what))).toBe(1);
      },
    );

    it('is not asked about what others have to decide, nor with a key, be it a user’s own', async () => {
      const before = dispatch.decisions.length;
      let timesAsked = 0;
      const onElicit = async (): Promise<Answer> => {
        timesAsked++;
        return { action: 'accept', content: { approve: true } };
      };
      const user = await connect(forms, onElicit);
      expect(await user.callTool(write(id('strict'), 'strict_write'))).toMatchObject(isRequired);
      for (const [what, credential] of [
        ['key', key],
        ['own key', ownKey],
      ] as const) {
        const machine = await connect(forms, onElicit, credential);
        expect(await machine.callTool(write(id(what)))).toMatchObject(isRequired);
      }
      expect(timesAsked).toBe(0);
      expect(dispatch.decisions.length).toBe(before);
    });

    it('that answers with nonsense has decided nothing', async () => {
      const before = dispatch.decisions.length;
      const client = await connect(forms, async () => ({ action: 'accept', content: { approve: 'yes' } }));
      const result = await client.callTool(write(id('nonsense'))).catch((error: unknown) => error);
      if (!(result instanceof Error)) expect(result).toMatchObject(isRequired);
      expect(dispatch.decisions.length).toBe(before);
      expect(dispatch.timesRun(id('nonsense'))).toBe(0);
    });
  });

  it('takes no state of another call, or of another user, for an approval of this one', async () => {
    const post = async (id: string, credential: string, more: object = {}) => {
      const capabilities = { 'io.modelcontextprotocol/clientCapabilities': forms };
      const response = await fetch(gateway.mcpUrl, {
        method: 'POST',
        headers: {
          ...bearer(credential),
          ...{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
          ...{ 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'up_write' },
        },
        body: JSON.stringify({
          ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
          params: {
            ...write(id),
            ...more,
            _meta: {
              'io.modelcontextprotocol/protocolVersion': '2026-07-28',
              'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
              ...capabilities,
            },
          },
        }),
      });
      const text = await response.text();
      return JSON.parse(text.startsWith('{') ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? '{}'));
    };
    const asked = await post('bound', token);
    const { requestState } = asked.result;
    expect(asked.result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
    const retry = {
      requestState,
      inputResponses: { approve: { action: 'accept', content: { approve: true } } },
    };
    const before = dispatch.decisions.length;
    expect(await post('another', token, retry)).toHaveProperty('error');
    expect(await post('bound', await people.tokenOf('bob'), retry)).toHaveProperty('error');
    expect(dispatch.decisions.length).toBe(before);
    expect((await post('bound', token, retry)).result).toMatchObject(ran('bound'));
    // The same retry once more has nothing left to decide, and runs nothing more.
    await post('bound', token, retry);
    expect(dispatch.timesRun('bound')).toBe(1);
  });
});
