import { describe, expect, it } from '@jest/globals';
import { modelCallSchema, readArguments } from './chat-call.js';

const limits = { maxDepth: 10, maxElements: 100 };

describe('a call as a model writes it', () => {
  it('is read in both formats', () => {
    const call = { id: 'c1', name: 'up_echo', arguments: '{}' };
    const chat = { id: 'c1', type: 'function', function: { name: 'up_echo', arguments: '{}' }, index: 0 };
    expect(modelCallSchema('chat').parse(chat)).toEqual(call);
    const item = { type: 'function_call', call_id: 'c1', id: 'fc_1', name: 'up_echo', arguments: '{}' };
    expect(modelCallSchema('responses').parse(item)).toEqual(call);
    expect(modelCallSchema('responses').safeParse(chat).success).toBe(false);
  });

  it('has arguments that are a JSON object, within limits, or none', () => {
    expect(readArguments('{"a":1}', limits)).toEqual({ ok: true, value: { a: 1 } });
    expect(readArguments(' ', limits)).toEqual({ ok: true, value: {} });
    for (const text of ['[1]', '"a"', 'null', '{"a":', '{"__proto__":{}}', '['.repeat(20) + ']'.repeat(20)])
      expect(readArguments(text, limits)).toMatchObject({
        ok: false,
        error: { code: 'tool_arguments_invalid' },
      });
  });
});
