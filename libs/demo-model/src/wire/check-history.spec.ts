import { describe, expect, it } from '@jest/globals';
import type { ChatMessage } from './chat-request.js';
import { checkHistory } from './check-history.js';

const user: ChatMessage = { role: 'user', content: 'go' };
const result = (id: string): ChatMessage => ({ role: 'tool', tool_call_id: id, content: 'ok' });
const asking = (...ids: string[]): ChatMessage => ({
  role: 'assistant',
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'a', arguments: '{}' } })),
});

describe('a conversation', () => {
  it('may answer the calls of a turn in any order', () => {
    expect(() => checkHistory([user, asking('a', 'b'), result('b'), result('a'), user])).not.toThrow();
  });

  it.each([
    ['a call without its result', [user, asking('a', 'b'), result('a')]],
    ['a result that comes too late', [user, asking('a'), user, result('a')]],
    ['a result of no call', [user, result('a')]],
    ['a second result of one call', [user, asking('a'), result('a'), result('a')]],
  ])('may not have %s', (_what, messages) => {
    expect(() => checkHistory(messages)).toThrow(expect.objectContaining({ status: 400 }));
  });
});
