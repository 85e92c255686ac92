import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, testPrefix, testRedisUrl } from '@switchyard/testing';
import { asksFirst, DispatchOfApprovals } from '../gateway-approvals-spec.js';
import { bearer } from '../gateway-client-spec.js';
import { GatewayHarness, type TestGateway } from '../gateway-harness-spec.js';
import { People } from '../gateway-people-spec.js';

type Body = Record<string, any>;

describe('calls that a person has to approve', () => {
  let harness: GatewayHarness;
  let gateway: TestGateway;
  let people: People;
  let ann: string;
  let dispatch: DispatchOfApprovals;

  beforeAll(async () => {
    const url = await testRedisUrl();
    harness = await GatewayHarness.open({ kind: 'redis', prefix: testPrefix(), url: () => url });
    dispatch = new DispatchOfApprovals(harness);
    people = await People.join(harness);
    await harness.addIntegration('up', [{ name: 'write' }, { name: 'read' }], {
      columns: { ...asksFirst(), tool_overrides: '{"read":{"policy":"auto_execute"}}' },
    });
    await harness.addIntegration('host', [{ name: 'write' }]);
    await people.addPolicy({ up: ['*'], host: ['*'] });
    gateway = await harness.startGateway({ SWITCHYARD_PUBLIC_URL: 'https://tools.example.com' });
    ann = await people.tokenOf('ann');
  }, 120_000);
  afterAll(() => harness.close());

  const decide = (...decision: Parameters<DispatchOfApprovals['decide']>) => dispatch.decide(...decision);
  const call = async (path: string, body: object, token = ann, headers = {}) => {
    const response = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Body };
  };
  const bff = (name: string, id: string, token = ann, headers = {}) =>
    call('/api/bff/tools/call', { name, arguments: { id } }, token, headers);
  const runsOf = (id: string) => dispatch.timesRun(id);
  const required = { status: 'failed', result: null, error: { code: 'approval_required' } };

  describe('at the BFF', () => {
    it('answers what to approve, and the same call made again gets the result, once', async () => {
      const first = await bff('up_write', 'b1');
      expect(first.status).toBe(200);
      const { call_id: callId } = first.body;
      expect(first.body).toMatchObject({
        ...required,
        error: {
          ...{ code: 'approval_required', call_id: callId },
          details: {
            ...{
              approval_id: callId,
              approve_url: `https://tools.example.com/api/approvals/${callId}/approve`,
            },
            ...{ expires_at: expect.any(String), tool: 'up_write', integration: 'up' },
          },
        },
      });
      expect((await bff('up_write', 'b1')).body).toMatchObject({ ...required, call_id: callId });
      expect(runsOf('b1')).toBe(0);
      await decide(callId, true);
      expect((await bff('up_write', 'b1')).body).toMatchObject({
        ...{ status: 'completed', call_id: callId, result: { content: [{ text: 'ran b1' }] } },
      });
      const anew = await bff('up_write', 'b1');
      expect(anew.body).toMatchObject(required);
      expect(anew.body['call_id']).not.toBe(callId);
      expect(runsOf('b1')).toBe(1);
    });

    it('tells a denial once, and then asks anew', async () => {
      const { body } = await bff('up_write', 'b2');
      await decide(body['call_id'], false, 'no');
      expect((await bff('up_write', 'b2')).body).toMatchObject({
        ...{ status: 'failed', call_id: body['call_id'], error: { code: 'approval_denied' } },
      });
      expect((await bff('up_write', 'b2')).body).toMatchObject(required);
    });

    it('asks once where the same call comes many times at the same moment, and answers one of them', async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => bff('up_write', 'b3')));
      const ids = new Set(answers.map(({ body }) => body['call_id']));
      expect(ids.size).toBe(1);
      await decide([...ids][0], true);
      const later = await Promise.all(Array.from({ length: 8 }, () => bff('up_write', 'b3')));
      expect(later.filter(({ body }) => body['status'] === 'completed')).toHaveLength(1);
      expect(runsOf('b3')).toBe(1);
    });

    it('keeps calls apart that differ in user, arguments or face', async () => {
      const first = await bff('up_write', 'b4');
      await decide(first.body['call_id'], true);
      const bob = await people.tokenOf('bob');
      for (const answer of [await bff('up_write', 'b4', bob), await bff('up_write', 'b5')])
        expect(answer.body).toMatchObject(required);
      const other = await call('/api/tool-calls', { tool: 'up_write', arguments: { id: 'b4' } });
      expect(other.body['call_id']).not.toBe(first.body['call_id']);
      expect((await bff('up_write', 'b4')).body).toMatchObject({ status: 'completed' });
    });

    it('gives the first call of an Idempotency-Key, however often it is asked', async () => {
      const keyed = () => bff('up_write', 'b6', ann, { 'idempotency-key': 'k6' });
      const { body } = await keyed();
      expect(body).toMatchObject(required);
      expect((await keyed()).body).toMatchObject({ ...required, call_id: body['call_id'] });
      await decide(body['call_id'], true);
      for (const answer of [await keyed(), await keyed()])
        expect(answer.body).toMatchObject({ status: 'completed', call_id: body['call_id'] });
      expect((await bff('up_write', 'other', ann, { 'idempotency-key': 'k6' })).status).toBe(409);
    });

    it('can be asked by the id of the call', async () => {
      const { body } = await bff('up_write', 'b7');
      const read = async () => {
        const response = await fetch(`${gateway.url}/api/bff/calls/${body['call_id']}`, {
          headers: bearer(ann),
        });
        return (await response.json()) as Body;
      };
      expect(await read()).toMatchObject({ status: 'pending' });
      await decide(body['call_id'], true);
      await eventually(async () => (await read())['status'] === 'completed');
    });

    it('leaves alone what runs by itself, and integrations whose hosts ask', async () => {
      for (const tool of ['up_read', 'host_write'])
        expect((await bff(tool, `auto-${tool}`)).body).toMatchObject({ status: 'completed' });
    });
  });

  describe('at the async API', () => {
    it('is accepted, says where to approve, and goes on by itself', async () => {
      const { status, body } = await call('/api/tool-calls', { tool: 'up_write', arguments: { id: 'a1' } });
      const id = body['call_id'];
      expect({ status, body }).toMatchObject({
        status: 202,
        body: {
          ...{ status: 'awaiting_approval', approval_id: id },
          ...{
            approval_url: `https://tools.example.com/api/approvals/${id}`,
            expires_at: expect.any(String),
          },
          next: expect.stringContaining(`/api/tool-calls/${id}`),
        },
      });
      const read = async () => {
        const response = await fetch(`${gateway.url}/api/tool-calls/${id}`, { headers: bearer(ann) });
        return (await response.json()) as Body;
      };
      expect(await read()).toMatchObject({ status: 'awaiting_approval' });
      await decide(id, true);
      await eventually(async () => (await read())['status'] === 'completed');
      expect(runsOf('a1')).toBe(1);
    });

    it('gives the same call for the same key', async () => {
      const ask = () =>
        call('/api/tool-calls', { tool: 'up_write', arguments: { id: 'a2' }, idempotency_key: 'a2' });
      const [first, again] = [await ask(), await ask()];
      expect(again.body).toEqual(first.body);
    });
  });

  it('waits at /v1/mcp too, and the retried call finds the decision', async () => {
    const path = '/v1/mcp/tool/execute';
    const body = {
      id: 'call_1',
      type: 'function',
      function: { name: 'up_write', arguments: JSON.stringify({ id: 'v1' }) },
    };
    const first = await call(path, body);
    expect(first.status).toBe(200);
    expect(String(first.body['content'])).toContain('approval_required');
    const [, callId = ''] = /"approval_id":"([^"]+)"/.exec(String(first.body['content'])) ?? [];
    await decide(callId, true);
    expect((await call(path, body)).body).toMatchObject({ role: 'tool', content: 'ran v1' });
  });
});
