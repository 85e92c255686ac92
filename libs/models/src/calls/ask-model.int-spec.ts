import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type ModelScriptInput, startScriptedModel } from '@switchyard/demo-model';
import { Secret } from '@switchyard/service-kit';
import { eventually } from '@switchyard/testing';
import { resultOutput, toolResultsMessage } from '../results/tool-output.js';
import { createModel, type ModelEgress } from '../settings/create-model.js';
import { ModelSettings, type ModelSettingsInput } from '../settings/model-settings.js';
import { toModelTools } from '../tools/to-model-tools.js';
import { type AnswerPart, askModel } from './ask-model.js';

const running: { close: () => Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((model) => model.close()));
});

/** The policy itself is tried out with a model in `apps/demo-model`; here the way out is open. */
const open: ModelEgress = { fetchLimited: (url, init) => fetch(url, init) };
const tools = toModelTools([
  { outwardName: 'math.add', wire: { name: 'add', inputSchema: { type: 'object', properties: { a: {} } } } },
]);
const [addName = ''] = Object.keys(tools.toolSet);
const go = { messages: [{ role: 'user' as const, content: 'go' }] };

async function scripted(
  turns: ModelScriptInput['turns'],
  more: Partial<Extract<ModelSettingsInput, { provider: 'openai_compatible' }>> = {},
) {
  const server = await startScriptedModel({ turns });
  running.push(server);
  const settings = ModelSettings.parse({
    provider: 'openai_compatible',
    base_url: server.baseUrl,
    model: server.model,
    ...more,
  });
  return { server, model: createModel(settings, new Secret(server.apiKey), open) };
}

/** A provider that says the same again and again, and never ends. */
async function chatter(said: string) {
  let hasLeft = false;
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => response.write(said), 50);
    response.on('close', () => {
      hasLeft = true;
      clearInterval(timer);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  running.push({ close: async () => server.close() });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/v1`, hasLeft: () => hasLeft };
}

const failing = (status: number, more = {}) => ({ answer: { error: { status, ...more } } });
const soon = { retry_after_s: 0 };

describe('a model that is asked', () => {
  it('answers in words, parts of which are seen before the end, and says what it used', async () => {
    const { model } = await scripted([
      { answer: { text: 'It is fine.', usage: { prompt_tokens: 7, completion_tokens: 3 } } },
    ]);
    const parts: AnswerPart[] = [];
    const answer = await askModel(model, { ...go, onPart: (part) => parts.push(part) });
    expect(parts).toEqual(['It ', 'is ', 'fine.'].map((text) => ({ type: 'text', text })));
    expect(answer).toMatchObject({
      text: 'It is fine.',
      toolCalls: [],
      finishReason: 'stop',
      usage: { inputTokens: 7, outputTokens: 3, totalTokens: 10, cachedInputTokens: 0, reasoningTokens: 0 },
      model: 'scripted-1',
      attempts: 1,
    });
  });

  it('asks for calls that are not run, and goes on with their results', async () => {
    const { model, server } = await scripted([
      { answer: { tool_calls: [{ name: addName, arguments: { a: 1 } }, { name: addName }] } },
      { when: { result_of: addName, contains: 'forty-two' }, answer: { text: 'Forty-two.' } },
    ]);
    const asked = { instructions: 'Be brief.', ...go, tools: tools.toolSet };
    const { toolCalls, message, finishReason } = await askModel(model, asked);
    expect(finishReason).toBe('tool_calls');
    expect(toolCalls).toEqual([
      { id: 'call_1_0', name: addName, arguments: { a: 1 } },
      { id: 'call_1_1', name: addName, arguments: {} },
    ]);
    const output = resultOutput(
      { content: [{ type: 'text', text: 'forty-two' }] },
      { outwardName: 'math.add' },
    );
    // What was stored and read again is as good.
    const history = JSON.parse(
      JSON.stringify([
        ...go.messages,
        message,
        toolResultsMessage(toolCalls.map((call) => ({ call, output }))),
      ]),
    );
    const last = await askModel(model, { ...asked, messages: history, toolChoice: 'none' });
    expect(last.text).toBe('Forty-two.');
    expect(server.requests()[1]?.messages.map(({ role }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'tool',
      'tool',
    ]);
  });

  it('marks calls that cannot be made, and lets the conversation go on', async () => {
    const { model } = await scripted([
      {
        answer: {
          tool_calls: [
            { name: 'drop_all', arguments: { a: 1 } },
            { name: addName, arguments: '{"a": ' },
            { name: addName, arguments: '[1]' },
          ],
        },
      },
      { answer: { text: 'sorry' } },
    ]);
    const { toolCalls, message } = await askModel(model, { ...go, tools: tools.toolSet });
    expect(toolCalls.map(({ problem, arguments: args }) => [problem, args])).toEqual([
      ['unknown_tool', {}],
      ['invalid_arguments', {}],
      ['invalid_arguments', {}],
    ]);
    const results = toolCalls.map((call) => ({ call, output: { type: 'error-text' as const, value: 'no' } }));
    const messages = [...go.messages, message!, toolResultsMessage(results)];
    expect((await askModel(model, { messages, tools: tools.toolSet })).text).toBe('sorry');
  });

  it('tells calls apart to which the provider gave one id', async () => {
    const call = { id: 'x', name: addName };
    const { model } = await scripted([{ answer: { tool_calls: [call, call] } }]);
    const { toolCalls } = await askModel(model, { ...go, tools: tools.toolSet });
    expect(new Set(toolCalls.map(({ id }) => id)).size).toBe(2);
  });
});

describe('a model that fails', () => {
  it('is asked again after what may pass, and counts it', async () => {
    const { model, server } = await scripted([
      failing(503, soon),
      failing(429, soon),
      { answer: { text: 'there' } },
    ]);
    expect(await askModel(model, go)).toMatchObject({ text: 'there', attempts: 3 });
    expect(server.requests()).toHaveLength(3);
  });

  it.each([
    ['model_denied', failing(401)],
    ['model_rejected', failing(404, { code: 'model_not_found' })],
    ['model_context_too_long', failing(400, { message: 'maximum context length is 4 tokens' })],
  ])('is not asked again after %s', async (code, turn) => {
    const { model, server } = await scripted([turn]);
    await expect(askModel(model, go)).rejects.toMatchObject({ code });
    expect(server.requests()).toHaveLength(1);
  });

  it.each([
    ['model_rate_limited', failing(429, { retry_after_s: 3 })],
    ['model_unavailable', { answer: { drop: 'before' as const } }],
    ['model_unavailable', { answer: { drop: 'midway' as const, text: 'a b c d' } }],
    ['model_protocol_error', { answer: { malformed: 'body' as const } }],
    ['model_protocol_error', { answer: { malformed: 'shape' as const } }],
  ])('says %s after %j', async (code, turn) => {
    const { model } = await scripted([turn], { max_retries: 0 });
    await expect(askModel(model, { ...go, tools: tools.toolSet })).rejects.toMatchObject({ code });
  });

  it('is not asked again once something was passed on', async () => {
    const { model, server } = await scripted([
      { times: 'any', answer: { drop: 'midway', text: 'a b c d', chunk_delay_ms: 50 } },
    ]);
    const parts: AnswerPart[] = [];
    const asked = askModel(model, { ...go, onPart: (part) => parts.push(part) });
    await expect(asked).rejects.toMatchObject({ code: 'model_unavailable' });
    expect(parts[0]).toEqual({ type: 'text', text: 'a ' });
    expect(server.requests()).toHaveLength(1);
  });

  it('ends at its time limit', async () => {
    const { model } = await scripted([{ answer: { endless: true, text: 'on ' } }], { timeout_ms: 1_000 });
    await expect(askModel(model, go)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('1000 ms'),
    });
  });

  it('is left where comments alone keep its answer open', async () => {
    const comments = await chatter(': still here\n\n');
    const settings = ModelSettings.parse({
      ...{ provider: 'openai_compatible', base_url: comments.url, model: 'm', max_retries: 0 },
      ...{ first_byte_timeout_ms: 1_000, idle_timeout_ms: 1_000, timeout_ms: 10_000 },
    });
    await expect(askModel(createModel(settings, null, open), go)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringContaining('1000 ms'),
    });
    await eventually(() => comments.hasLeft());
  }, 8_000);

  it('is left when nobody wants the answer any more', async () => {
    const { model, server } = await scripted([{ answer: { endless: true, text: 'on ' } }]);
    const leaving = new AbortController();
    const asked = askModel(model, { ...go, signal: leaving.signal, onPart: () => leaving.abort() });
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
    await eventually(() => server.requests()[0]?.ended === 'client_left');
  });
});
