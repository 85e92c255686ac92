import { afterEach, describe, expect, it } from '@jest/globals';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { eventually } from '@switchyard/testing';
import { generateText, isStepCount, jsonSchema, streamText, tool } from 'ai';
import type { ModelScriptInput } from '../script/script.js';
import { type RunningModel, startDemoModel, startScriptedModel } from './start-model.js';

const running: RunningModel[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((model) => model.close()));
});

async function demo() {
  const model = await startDemoModel();
  running.push(model);
  return model;
}

async function scripted(turns: ModelScriptInput['turns']) {
  const model = await startScriptedModel({ turns });
  running.push(model);
  return model;
}

function throughAi({ baseUrl, apiKey, model }: RunningModel) {
  return createOpenAICompatible({ name: 'demo', baseURL: baseUrl, apiKey, includeUsage: true })(model);
}

type Asked = { path?: string; key?: string | null; body?: unknown; method?: string; headers?: object };

async function request(model: RunningModel, asked: Asked) {
  const { path = '/chat/completions', key = model.apiKey, body, method = 'POST' } = asked;
  const answer = await fetch(model.baseUrl + path, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(key && { authorization: `Bearer ${key}` }),
      ...asked.headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const hello = { model: 'demo-1', messages: [{ role: 'user', content: 'hello' }] };
const add = tool({
  description: 'Adds two numbers.',
  inputSchema: jsonSchema<{ a: number; b: number }>({
    type: 'object',
    properties: { a: { type: 'number' }, b: { type: 'number' } },
    required: ['a', 'b'],
  }),
  execute: ({ a, b }) => Promise.resolve(`sum ${a + b}`),
});

describe('through the ai package', () => {
  it('generateText calls the named tool and sums up its result', async () => {
    const { text, steps, usage } = await generateText({
      model: throughAi(await demo()),
      tools: { math_add: add },
      prompt: 'call math_add a=2 b=3',
      stopWhen: isStepCount(5),
    });
    expect(text).toBe('math_add answered: “sum 5”.');
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    expect(usage.totalTokens).toBe((usage.inputTokens ?? 0) + (usage.outputTokens ?? 0));
    expect(usage.inputTokens).toBeGreaterThan(0);
  });

  it('streamText gets several calls of one turn, their arguments in pieces, then text in pieces', async () => {
    const model = await scripted([
      {
        answer: {
          tool_calls: [
            { name: 'math_add', arguments: { a: 1, b: 2 } },
            { name: 'math_add', arguments: { a: 10, b: 20 } },
          ],
        },
      },
      {
        when: { result_of: 'math_add' },
        answer: { text: 'It is thirty.', usage: { prompt_tokens: 7, completion_tokens: 5 } },
      },
    ]);
    const result = streamText({
      model: throughAi(model),
      tools: { math_add: add },
      prompt: 'go',
      stopWhen: isStepCount(5),
    });
    const seen: string[] = [];
    for await (const part of result.stream) seen.push(part.type);
    const [first, last] = await result.steps;
    expect(first?.toolCalls.map(({ toolCallId, input }) => [toolCallId, input])).toEqual([
      ['call_1_0', { a: 1, b: 2 }],
      ['call_1_1', { a: 10, b: 20 }],
    ]);
    expect(last?.text).toBe('It is thirty.');
    expect(last?.usage).toMatchObject({ inputTokens: 7, outputTokens: 5, totalTokens: 12 });
    expect(seen.filter((type) => type === 'tool-input-delta').length).toBeGreaterThan(2);
    expect(seen.filter((type) => type === 'text-delta')).toHaveLength(3);
    expect(model.requests().map(({ turn, ended }) => [turn, ended])).toEqual([
      ['0', 'answered'],
      ['1', 'answered'],
    ]);
  });

  it('a refusal of the script reaches the caller with its status', async () => {
    const model = await scripted([{ answer: { error: { status: 429, retry_after_s: 3 } } }]);
    const asked = generateText({ model: throughAi(model), prompt: 'go', maxRetries: 0 });
    await expect(asked).rejects.toMatchObject({
      statusCode: 429,
      isRetryable: true,
      responseHeaders: expect.objectContaining({ 'retry-after': '3' }),
    });
  });
});

describe('the interface', () => {
  it('names its one model', async () => {
    const { text } = await request(await demo(), { path: '/models', method: 'GET' });
    expect(JSON.parse(text)).toMatchObject({ object: 'list', data: [{ id: 'demo-1', object: 'model' }] });
  });

  it('streams chunks as the API does, with usage last where it is asked for', async () => {
    const model = await demo();
    const body = { ...hello, stream: true, stream_options: { include_usage: true } };
    const { text, headers } = await request(model, { body });
    expect(headers.get('content-type')).toMatch('text/event-stream');
    const events = text
      .trim()
      .split('\n\n')
      .map((line) => line.replace(/^data: /, ''));
    expect(events.pop()).toBe('[DONE]');
    const chunks = events.map((event) => JSON.parse(event));
    expect(chunks[0].choices[0].delta).toEqual({ role: 'assistant', content: '', refusal: null });
    expect(chunks.at(-2).choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' });
    expect(chunks.at(-2).usage).toBeNull();
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(new Set(chunks.map(({ id, object }) => `${id} ${object}`)).size).toBe(1);
    const without = await request(model, { body: { ...hello, stream: true } });
    expect(without.text).not.toContain('usage');
  });

  it.each<[string, Asked, number, object]>([
    ['no key', { key: null, body: hello }, 401, {}],
    ['a wrong key', { key: 'sk-wrong', body: hello }, 401, { code: 'invalid_api_key' }],
    ['another model', { body: { ...hello, model: 'gpt-9' } }, 404, { code: 'model_not_found' }],
    ['no JSON', { body: '{' }, 400, {}],
    ['no messages', { body: { model: 'demo-1', messages: [] } }, 400, { param: 'messages' }],
    [
      'a tool name that the API does not take',
      { body: { ...hello, tools: [{ type: 'function', function: { name: 'a.b' } }] } },
      400,
      { param: 'tools.[0].function.name' },
    ],
    ['an unknown path', { path: '/embeddings', body: {} }, 404, { code: 'unknown_url' }],
    ['a body beyond the limit', { body: 'x'.repeat(16 * 1024 * 1024 + 1) }, 413, {}],
  ])('refuses %s in the shape of the API', async (_what, asked, status, facts) => {
    const answer = await request(await demo(), asked);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text).error).toMatchObject({
      message: expect.any(String),
      type: 'invalid_request_error',
      ...facts,
    });
  });

  it('has no control path without a script', async () => {
    const model = await demo();
    expect((await request(model, { path: '/../control/requests', method: 'GET' })).status).toBe(404);
  });
});

describe('a scripted model', () => {
  const asked = { model: 'scripted-1', messages: hello.messages };

  it.each([
    ['before anything', { drop: 'before' as const }, false],
    ['within a body', { drop: 'midway' as const, text: 'a b c d' }, false],
    ['within a stream', { drop: 'midway' as const, text: 'a b c d' }, true],
  ])('cuts the connection %s', async (_what, answer, stream) => {
    const model = await scripted([{ answer }]);
    await expect(request(model, { body: { ...asked, stream } })).rejects.toThrow();
    expect(model.requests()[0]?.ended).toBe('dropped');
  });

  it('answers with what is no JSON, or no completion', async () => {
    const model = await scripted([{ answer: { malformed: 'body' } }, { answer: { malformed: 'shape' } }]);
    expect((await request(model, { body: asked })).text).toBe('<html>Bad gateway');
    expect((await request(model, { body: asked })).text).toBe('{"hello":"world"}');
  });

  it('streams without end until its reader leaves', async () => {
    const model = await scripted([{ answer: { endless: true, text: 'and on ' } }]);
    const leaving = new AbortController();
    const answer = await fetch(`${model.baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${model.apiKey}` },
      body: JSON.stringify({ ...asked, stream: true }),
      signal: leaving.signal,
    });
    const reader = answer.body!.getReader();
    for (let read = 0; read < 5; read++) expect((await reader.read()).done).toBe(false);
    leaving.abort();
    await eventually(() => model.requests()[0]?.ended === 'client_left');
  });

  it('shows by their digests when a step was asked twice', async () => {
    const model = await scripted([{ times: 'any', answer: { text: 'yes' } }]);
    for (const content of ['a', 'b', 'a'])
      await request(model, { body: { ...asked, messages: [{ role: 'user', content }] } });
    const [first, second, third] = model.requests().map(({ digest }) => digest);
    expect(third).toBe(first);
    expect(second).not.toBe(first);
  });

  it('is read and reset over HTTP, from this machine and by no browser', async () => {
    const model = await scripted([{ answer: { text: 'one' } }]);
    await request(model, { body: asked });
    const read = await request(model, { path: '/../control/requests', method: 'GET', key: null });
    expect(JSON.parse(read.text).requests).toHaveLength(1);
    expect(read.text).not.toContain(model.apiKey);
    const reset = { path: '/../control/reset', key: null };
    expect((await request(model, { ...reset, body: { turns: [{ answer: { text: 'two' } }] } })).status).toBe(
      200,
    );
    expect((await request(model, { body: asked })).text).toContain('two');
    expect(model.requests()).toHaveLength(1);
    expect((await request(model, { ...reset, body: { turns: 1 } })).status).toBe(400);
    expect((await request(model, { ...reset, headers: { origin: 'https://a.example' } })).status).toBe(403);
  });

  it('listens on loopback alone', async () => {
    await expect(startScriptedModel({ turns: [] }, { host: '0.0.0.0' })).rejects.toThrow(/loopback/);
  });
});
