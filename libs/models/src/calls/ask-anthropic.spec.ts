import { describe, expect, it } from '@jest/globals';
import { Secret } from '@switchyard/service-kit';
import { failureOutput, resultOutput, toolResultsMessage } from '../results/tool-output.js';
import { createModel } from '../settings/create-model.js';
import { ModelSettings } from '../settings/model-settings.js';
import { toModelTools } from '../tools/to-model-tools.js';
import { askModel } from './ask-model.js';

type Event = { type: string; [key: string]: unknown };

/** A provider that answers each request with the next of these streams, as Anthropic's messages API writes them. */
function anthropic(...answers: Event[][]) {
  const asked: any[] = [];
  const settings = ModelSettings.parse({ provider: 'anthropic', model: 'claude-x', max_output_tokens: 500 });
  const model = createModel(settings, new Secret('canary-of-a-key-1234'), {
    fetchLimited: (_url, init: RequestInit) => {
      asked.push(JSON.parse(String(init.body)));
      const events = answers[asked.length - 1] ?? [];
      const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
      return Promise.resolve(new Response(text, { headers: { 'content-type': 'text/event-stream' } }));
    },
  });
  return { model, asked };
}

const begin = {
  type: 'message_start',
  message: {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'claude-x-1',
    content: [],
    usage: { input_tokens: 11, output_tokens: 1 },
  },
};
const end = (stop_reason: string): Event[] => [
  { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 9 } },
  { type: 'message_stop' },
];
const block = (index: number, content_block: object, ...deltas: object[]): Event[] => [
  { type: 'content_block_start', index, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];
const thinking = block(
  0,
  { type: 'thinking', thinking: '', signature: '' },
  { type: 'thinking_delta', thinking: 'Let me add.' },
  { type: 'signature_delta', signature: 'c2lnbmVk' },
);
const words = block(1, { type: 'text', text: '' }, { type: 'text_delta', text: 'Adding.' });
const call = (index: number, id: string, json: string): Event[] =>
  block(
    index,
    { type: 'tool_use', id, name: 'math_add', input: {} },
    { type: 'input_json_delta', partial_json: json.slice(0, 4) },
    { type: 'input_json_delta', partial_json: json.slice(4) },
  );

const { toolSet: tools } = toModelTools([
  { outwardName: 'math_add', wire: { name: 'add', inputSchema: { oneOf: [{ properties: { a: {} } }] } } },
]);

describe('a model that speaks Anthropic’s messages', () => {
  it('goes on from a stored answer with the results of its calls, its own marks included', async () => {
    const { model, asked } = anthropic(
      [
        begin,
        ...thinking,
        ...words,
        ...call(2, 'toolu_1', '{"a": 1}'),
        ...call(3, 'toolu_2', '{"a": 2}'),
        ...end('tool_use'),
      ],
      [
        begin,
        ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'One.' }),
        ...end('end_turn'),
      ],
    );
    const user = { role: 'user' as const, content: 'add' };
    const answer = await askModel(model, { instructions: 'Be brief.', messages: [user], tools });
    expect(answer).toMatchObject({
      text: 'Adding.',
      reasoning: 'Let me add.',
      finishReason: 'tool_calls',
      model: 'claude-x-1',
      usage: { inputTokens: 11, outputTokens: 9, totalTokens: 20 },
      toolCalls: [
        { id: 'toolu_1', arguments: { a: 1 } },
        { id: 'toolu_2', arguments: { a: 2 } },
      ],
    });
    const [first, second] = answer.toolCalls;
    const named = { outwardName: 'math_add' };
    const results = toolResultsMessage([
      { call: first!, output: resultOutput({ content: [{ type: 'text', text: 'one' }] }, named) },
      { call: second!, output: failureOutput({ code: 'needs_reauth', message: 'Connect.' }, named) },
    ]);
    const messages = JSON.parse(JSON.stringify([user, answer.message, results]));
    expect((await askModel(model, { messages, tools })).text).toBe('One.');
    expect(asked[0]).toMatchObject({
      system: [{ text: 'Be brief.' }],
      tools: [{ name: 'math_add', input_schema: { type: 'object', properties: { a: {} } } }],
    });
    expect(asked[0].tools[0].input_schema).not.toHaveProperty('oneOf');
    expect(asked[1].messages[1].content).toMatchObject([
      { type: 'thinking', signature: 'c2lnbmVk' },
      { type: 'text', text: 'Adding.' },
      { type: 'tool_use', id: 'toolu_1' },
      { type: 'tool_use', id: 'toolu_2' },
    ]);
    expect(asked[1].messages[2].content).toMatchObject([
      { type: 'tool_result', tool_use_id: 'toolu_1', content: expect.stringContaining('\none\n') },
      { type: 'tool_result', tool_use_id: 'toolu_2', is_error: true },
    ]);
  });

  it.each([
    ['overloaded_error', 'model_unavailable'],
    ['rate_limit_error', 'model_rate_limited'],
  ])('that fails within its stream with %s: %s', async (type, code) => {
    const error = { type: 'error', error: { type, message: 'no' } };
    const { model } = anthropic([begin, ...words, error], [begin, ...words, error], [begin, ...words, error]);
    const asked = askModel(
      { ...model, settings: { ...model.settings, max_retries: 0 } },
      { messages: [{ role: 'user', content: 'x' }] },
    );
    await expect(asked).rejects.toMatchObject({ code });
  });

  it('that stops in the middle is unavailable', async () => {
    const { model } = anthropic([begin, ...words]);
    const asked = askModel(
      { ...model, settings: { ...model.settings, max_retries: 0 } },
      { messages: [{ role: 'user', content: 'x' }] },
    );
    await expect(asked).rejects.toMatchObject({ code: 'model_unavailable' });
  });
});
