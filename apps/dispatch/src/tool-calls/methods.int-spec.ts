import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ToolCallOutcome } from '@switchyard/contracts';
import {
  type FixtureUpstream,
  onBothQueueBackends,
  startAskingUpstream,
  watchedUri,
} from '@switchyard/testing';
import { type CallOptions, DispatchHarness } from '../dispatch-harness-spec.js';

onBothQueueBackends('calls of other methods than tools/call', (backend) => {
  let harness: DispatchHarness;
  let upstream: FixtureUpstream;
  let id: string;

  beforeAll(async () => {
    harness = await DispatchHarness.open(backend);
    upstream = await startAskingUpstream();
    id = await harness.insertIntegration('up', { type: 'http', url: upstream.url }, []);
    await harness.insertFeatures(id, 'prompt', { summarize: { name: 'summarize' } });
    await harness.insertFeatures(id, 'resource', { [watchedUri]: { uri: watchedUri, name: 'today' } });
    const uriTemplate = 'note://by-day/{day}';
    await harness.insertFeatures(id, 'resource_template', { [uriTemplate]: { uriTemplate, name: 'by-day' } });
    await harness.startWorker();
  }, 120_000);
  afterAll(async () => {
    await harness.close();
    await upstream.close();
  }, 60_000);

  const get = (name: string, args: object, more: CallOptions = {}) =>
    harness.call(id, `up_${name}`, args as Record<string, unknown>, { method: 'prompts/get', ...more });
  const read = (uri: string, more: CallOptions = {}) =>
    harness.call(id, `sy.up+${uri}`, {}, { method: 'resources/read', own: uri, ...more });
  const resultOf = (outcome: ToolCallOutcome) => (outcome.status === 'completed' ? outcome.result : outcome);

  it('gets a prompt, reads what is listed, what a template makes and what is linked, and completes', async () => {
    expect(resultOf(await get('summarize', { note: 'today' }))).toMatchObject({
      messages: [{ content: { text: 'Summarize today, short.' } }],
    });
    for (const uri of [watchedUri, 'note://by-day/monday'])
      expect(resultOf(await read(uri))).toMatchObject({ contents: [{ uri, text: `The note ${uri}` }] });
    const ofPrompt = {
      ref: { type: 'ref/prompt', name: 'summarize' },
      argument: { name: 'style', value: 'l' },
    };
    const ofTemplate = {
      ref: { type: 'ref/resource', uri: 'note://by-day/{day}' },
      argument: { name: 'day', value: 'm' },
    };
    const method = 'completion/complete';
    expect(resultOf(await harness.call(id, 'up_summarize', ofPrompt, { method }))).toMatchObject({
      completion: { values: ['long'] },
    });
    const own = 'note://by-day/{day}';
    expect(resultOf(await harness.call(id, `sy.up+${own}`, ofTemplate, { method, own }))).toMatchObject({
      completion: { values: ['monday'] },
    });
  });

  it('says in the ledger what was asked for', async () => {
    const job = harness.job(id, 'up_summarize', { note: 'x' }, { method: 'prompts/get' });
    await harness.send(job);
    expect(await harness.ended(job.sealed.call.callId)).toMatchObject({
      method: 'prompts/get',
      tool: 'summarize',
      outward_name: 'up_summarize',
      status: 'completed',
      safe: true,
    });
  });

  it('keeps code and data of the upstream’s error', async () => {
    expect(await read('note://none')).toMatchObject({
      status: 'failed',
      error: { details: { upstream_code: -32602, upstream_data: { uri: 'note://none' } } },
    });
  });

  it.each([
    ['a prompt that nobody listed', () => get('other', {})],
    ['a prompt by the name of another', () => get('summarize', {}, { own: 'other' })],
    [
      'a resource of an integration that is not there',
      () => harness.call(id, 'sy.none+note://today', {}, { method: 'resources/read', own: 'note://today' }),
    ],
    ['a resource under the URI of another', () => read('note://yesterday', { own: watchedUri })],
  ] as const)('sends nothing for %s', async (_, call) => {
    const before = upstream.requests.length;
    expect(await call()).toMatchObject({ status: 'failed', error: { code: 'not_found' } });
    expect(upstream.requests.slice(before).filter((method) => /read|get/.test(method))).toEqual([]);
  });

  it('sends nothing for a key that may use some tools alone', async () => {
    const keyId = randomUUID();
    await harness.insertKey(keyId);
    const some = JSON.stringify([{ mcp_client_name: 'up', tools_to_execute: ['quiet'] }]);
    await harness.sql.query('UPDATE registry.virtual_keys SET mcp_configs = $2 WHERE id = $1', [keyId, some]);
    expect(await get('summarize', { note: 'x' }, { keyId })).toMatchObject({ error: { code: 'not_found' } });
    expect(await read(watchedUri, { keyId })).toMatchObject({ error: { code: 'not_found' } });
  });

  it('tries again where the upstream gave no answer, for they only read', async () => {
    upstream.failNext({ method: 'prompts/get', status: 502 });
    const before = upstream.requests.filter((method) => method === 'prompts/get').length;
    expect((await get('summarize', { note: 'today' })).status).toBe('completed');
    expect(upstream.requests.filter((method) => method === 'prompts/get').length - before).toBe(2);
  });

  it('brings a call back whose job the queue lost, with its method and the client’s answers', async () => {
    const resume = { inputResponses: { b: { action: 'accept' }, a: { action: 'decline' } } };
    const job = harness.job(
      id,
      'up_summarize',
      { note: 'later' },
      {
        ...{ method: 'prompts/get', ledgerFirst: true, resume },
      },
    );
    await harness.accept(job);
    await harness.sql.query('UPDATE dispatch.tool_calls SET next_sweep_at = now() WHERE call_id = $1', [
      job.sealed.call.callId,
    ]);
    expect(await harness.ended(job.sealed.call.callId)).toMatchObject({
      status: 'completed',
      method: 'prompts/get',
    });
    const [kept] = await harness.sql.query('SELECT resume FROM dispatch.tool_calls WHERE call_id = $1', [
      job.sealed.call.callId,
    ]);
    expect(kept).toEqual({ resume: null });
  });
});
