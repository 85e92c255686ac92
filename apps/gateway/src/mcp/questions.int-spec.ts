import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { type AuditEvent, type MessageOf, queues, type ToolCallJob, topics } from '@switchyard/contracts';
import { type JobContext, Sealer, verifyAnswer } from '@switchyard/queue';
import { onBothQueueBackends } from '@switchyard/testing';
import { bearer, completed, rpc, textResult, until } from '../gateway-client-spec.js';
import { GatewayHarness, sealKey, type TestGateway } from '../gateway-harness-spec.js';
import { Questions } from '../tool-calls/questions.service.js';

type Context = JobContext<typeof queues.toolCallsInteractive>;
type Answered = MessageOf<typeof topics.questionAnswered>;
type Elicit = (params: any) => Promise<{ action: string; content?: Record<string, string> }>;

const schema = { type: 'object', properties: { name: { type: 'string' } } };
const elicitation = { elicitation: { form: {} } };
const _meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': elicitation,
};

onBothQueueBackends('questions of upstreams to clients', (backend) => {
  let harness: GatewayHarness;
  let gateways: [TestGateway, TestGateway];
  let keys: { id: string; key: string }[];
  let cancelled: string[];
  const jobs: ToolCallJob[] = [];
  const answers = new Map<string, (answer: Answered) => void>();
  const audited: AuditEvent[] = [];

  /** Asks in the middle of a request, as an upstream of 2025-11-25 does: once for each of `times`. */
  async function ask(job: ToolCallJob, { emit, signal }: Context) {
    const { callId, caller } = job.sealed.call;
    if (!job.client?.capabilities?.elicitation) return completed(job, textResult('nobody to ask'));
    const said: unknown[] = [];
    for (let n = 1; n <= Number(job.arguments['times'] ?? 1); n++) {
      const questionId = randomUUID();
      const message = `${n} for ${caller.virtualKeyId}`;
      const params = { message, requestedSchema: schema, elicitationId: 'of the old revision' };
      const { promise, resolve } = Promise.withResolvers<Answered>();
      answers.set(questionId, resolve);
      signal.addEventListener('abort', () => resolve({} as Answered));
      emit({ kind: 'question', questionId, method: 'elicitation/create', params });
      await harness.queue.publish(topics.questionAsked, {
        ...{ callId, questionId, method: 'elicitation/create' },
        params,
      });
      const { answer, seal } = await promise;
      expect(verifyAnswer(new Sealer(sealKey), { id1: callId, id2: questionId, answer }, seal)).toBe(true);
      said.push(answer);
    }
    return completed(job, textResult(JSON.stringify(said)));
  }

  /** Ends the job with what it wants to know, as an upstream of 2026-07-28 does. */
  async function require(job: ToolCallJob) {
    if (job.resume) return completed(job, textResult(JSON.stringify(job.resume)));
    const request = { method: 'elicitation/create', params: { message: 'Who?', requestedSchema: schema } };
    return completed(job, {
      ...{ resultType: 'input_required', requestState: 'the upstream’s own' },
      inputRequests: { who: request },
    } as never);
  }

  beforeAll(async () => {
    harness = await GatewayHarness.open(backend);
    await harness.queue.subscribe(topics.questionAnswered, (answer) =>
      answers.get(answer.questionId)?.(answer),
    );
    harness.work((job, context) => {
      jobs.push(job);
      return job.sealed.call.tool === 'ask' ? ask(job, context) : require(job);
    });
    cancelled = harness.takeCancellations();
    const note = ({ events }: { events: AuditEvent[] }) =>
      Promise.resolve({ written: audited.push(...events) });
    harness.queue.consume(queues.auditRecords, note as never, { concurrency: 1 });
    await harness.addIntegration('up', [{ name: 'ask' }, { name: 'require' }]);
    keys = [await harness.addKey(), await harness.addKey()];
    gateways = await Promise.all([harness.startGateway(), harness.startGateway()]);
  }, 120_000);
  afterAll(async () => {
    await harness.queue.close({ limitMs: 0 });
    await harness.close();
  });

  it.each(['legacy', 'modern'] as const)(
    'of the middle of a request reach each %s client alone, wherever it answers',
    async (era) => {
      const asked: string[][] = [[], []];
      const clients = await Promise.all(
        keys.map(({ key }, at) =>
          connect(era, key, (params) => {
            asked[at]?.push(params.message);
            return Promise.resolve({ action: 'accept', content: { name: `client ${at}` } });
          }),
        ),
      );
      const call = { name: 'up_ask', arguments: { times: 2 } };
      const results: any[] = await Promise.all(clients.map((client) => client.callTool(call)));
      for (const [at, { content }] of results.entries()) {
        const answer = { result: { action: 'accept', content: { name: `client ${at}` } } };
        expect(JSON.parse(content[0].text)).toEqual([answer, answer]);
        expect(asked[at]).toEqual([`1 for ${keys[at]?.id}`, `2 for ${keys[at]?.id}`]);
      }
    },
  );

  it.each(['legacy', 'modern'] as const)(
    'that end a request are put to %s clients, and the upstream gets its state back',
    async (era) => {
      const client = await connect(era, keys[0]?.key, () =>
        Promise.resolve({ action: 'accept', content: { name: 'me' } }),
      );
      const result: any = await client.callTool({ name: 'up_require', arguments: {} });
      expect(JSON.parse(result.content[0].text)).toEqual({
        inputResponses: { who: { action: 'accept', content: { name: 'me' } } },
        requestState: 'the upstream’s own',
      });
    },
  );

  it('are told as missing capabilities to clients that cannot be asked', async () => {
    const before = jobs.length;
    const legacy = await connect('legacy', keys[0]?.key);
    expect(await legacy.callTool({ name: 'up_require', arguments: {} })).toMatchObject({
      isError: true,
      structuredContent: {
        code: 'client_capability_missing',
        details: { required_capabilities: { elicitation: { form: {} } } },
      },
    });
    const modern = await connect('modern', keys[0]?.key);
    await expect(modern.callTool({ name: 'up_require', arguments: {} })).rejects.toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { elicitation: { form: {} } } },
    });
    for (const client of [legacy, modern]) {
      const result = await client.callTool({ name: 'up_ask', arguments: {} });
      expect(result).toMatchObject({ content: [{ text: 'nobody to ask' }] });
    }
    expect(jobs.slice(before).every(({ client }) => client === undefined)).toBe(true);
  });

  it('come back with a state that is good for this request of this caller alone, and shows nothing', async () => {
    const first = await modernCall(0, { name: 'up_require' });
    const { requestState, inputRequests } = first.body.result;
    expect(Object.keys(inputRequests)).toEqual(['who']);
    expect(Buffer.from(requestState, 'base64url').toString('latin1')).not.toContain('own');
    const inputResponses = { who: { action: 'accept', content: { name: 'me' } } };
    const retry = { name: 'up_require', inputResponses, requestState };
    const before = jobs.length;
    for (const refused of [
      await modernCall(0, { ...retry, requestState: `${requestState}AAAA` }),
      await modernCall(0, { ...retry, requestState: 'the upstream’s own' }),
      await modernCall(0, { ...retry, arguments: { other: true } }),
      await modernCall(0, { ...retry, name: 'up_ask' }),
      await modernCall(0, retry, { who: 1 }),
    ]) {
      expect(refused.body.error).toMatchObject({
        code: -32602,
        data: { reason: 'invalid_request_state', code: 'invalid_request' },
      });
    }
    expect(jobs).toHaveLength(before);
    const refusal = { action: 'caller_refused', code: 'invalid_request', result: 'refused' };
    await until(() =>
      expect(audited.map(({ actor, details }) => `${actor.id} ${String(details['why'])}`).sort()).toEqual(
        [
          `${keys[0]?.id} requestState: forged`,
          `${keys[0]?.id} requestState: forged`,
          `${keys[0]?.id} requestState: another_request`,
          `${keys[0]?.id} requestState: another_request`,
          `${keys[1]?.id} requestState: another_request`,
        ].sort(),
      ),
    );
    expect(audited).toEqual(audited.map((event) => ({ ...event, ...refusal })));
    const last = await modernCall(1, retry);
    expect(JSON.parse(last.body.result.content[0].text).requestState).toBe('the upstream’s own');
  });

  it('make each round a call of its own under one Idempotency-Key', async () => {
    const keyed = { 'idempotency-key': 'one-for-all-rounds' };
    const first = await modernCall(0, { name: 'up_require' }, { headers: keyed });
    const { requestState } = first.body.result;
    const before = jobs.length;
    for (const name of ['me', 'you']) {
      const inputResponses = { who: { action: 'accept', content: { name } } };
      const retry = { name: 'up_require', inputResponses, requestState };
      const last = await modernCall(0, retry, { headers: keyed });
      expect(JSON.parse(last.body.result.content[0].text)).toMatchObject({ inputResponses });
    }
    expect(jobs.slice(before).map(({ sealed }) => sealed.call.ledgerFirst)).toEqual([true, true]);
    const changed = await modernCall(0, { name: 'up_require', arguments: { x: 1 } }, { headers: keyed });
    expect(changed.body.result.structuredContent.code).toBe('idempotency_conflict');
  });

  it('stay open until answered, and the call ends with a client that leaves then', async () => {
    const first = await modernCall(0, { name: 'up_ask' });
    const { requestState, inputRequests } = first.body.result;
    expect(Object.values(inputRequests)).toMatchObject([
      { method: 'elicitation/create', params: { message: expect.stringContaining('1 for') } },
    ]);
    expect(JSON.stringify(inputRequests)).not.toContain('of the old revision');
    for (const at of [0, 1]) {
      const again = await modernCall(at, { name: 'up_ask', requestState });
      expect(again.body.result.inputRequests).toEqual(inputRequests);
    }
    const { callId } = jobs.at(-1)?.sealed.call ?? {};
    const hanging = { ...inputRequests };
    const leaving = new AbortController();
    const [questionId] = Object.keys(hanging);
    answers.set(questionId ?? '', () => leaving.abort());
    const inputResponses = { [questionId ?? '']: { action: 'decline' } };
    const { signal } = leaving;
    const answer = modernCall(1, { name: 'up_ask', inputResponses, requestState }, { signal });
    await expect(answer).rejects.toBeDefined();
    await until(() => expect(cancelled).toContain(callId));
  });

  it('are forgotten by every replica when the call ends, answered or not', async () => {
    const first = await modernCall(0, { name: 'up_ask' });
    const { requestState, inputRequests } = first.body.result;
    const { callId } = jobs.at(-1)!.sealed.call;
    const open = () => gateways.map(({ service }) => service.app.get(Questions).open(callId).length);
    const late = { questionId: randomUUID(), method: 'elicitation/create', params: {} } as const;
    await harness.queue.publish(topics.questionAsked, { callId, ...late });
    await until(() => expect(open()).toEqual([2, 2]));
    const inputResponses = { [Object.keys(inputRequests)[0]!]: { action: 'decline' } };
    await modernCall(0, { name: 'up_ask', inputResponses, requestState });
    await until(() => expect(open()).toEqual([0, 0]));
  });

  it('are remembered in no greater number than anybody could answer', async () => {
    const callId = randomUUID();
    const questions = gateways[0].service.app.get(Questions);
    for (let n = 0; n < 100; n++)
      questions.asked(callId, { questionId: `q${n}`, method: 'elicitation/create', params: {} });
    expect(questions.open(callId).map(({ questionId }) => questionId)).toEqual(
      Array.from({ length: 32 }, (_, n) => `q${n + 68}`),
    );
  });

  /** Requests go to the first replica, answers and retries to the second. */
  async function connect(era: 'legacy' | 'modern', key: string | undefined, onElicit?: Elicit) {
    const send: typeof fetch = (url, init) => {
      const { method, params } = JSON.parse(String(init?.body ?? '{}'));
      const isFurther = init?.method === 'POST' && (!method || params?.requestState !== undefined);
      return fetch(isFurther ? gateways[1].mcpUrl : url, init);
    };
    const url = new URL(gateways[0].mcpUrl);
    const options = { requestInit: { headers: bearer(key) }, fetch: send };
    const capabilities = onElicit ? elicitation : {};
    const info = { name: era, version: '1' };
    if (era === 'legacy') {
      const client = new LegacyClient(info, { capabilities });
      if (onElicit) client.setRequestHandler(ElicitRequestSchema, ({ params }) => onElicit(params) as never);
      await client.connect(new LegacyTransport(url, options));
      harness.onClose(() => client.close());
      return client;
    }
    const client = new Client(info, { versionNegotiation: { mode: 'auto' }, capabilities });
    if (onElicit) client.setRequestHandler('elicitation/create', ({ params }) => onElicit(params) as never);
    await client.connect(new StreamableHTTPClientTransport(url, options));
    harness.onClose(() => client.close());
    return client;
  }

  async function modernCall(
    at: number,
    params: Record<string, unknown> & { name: string },
    { who = 0, signal, headers: more }: { who?: number; signal?: AbortSignal; headers?: object } = {},
  ) {
    const headers = {
      ...more,
      ...bearer(keys[who]?.key),
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': params.name,
    };
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta } };
    return rpc(gateways[at]?.mcpUrl ?? '', message, headers, signal);
  }
});
