import { describe, expect, it } from '@jest/globals';
import type { ChatMessage, ChatRequest } from '../wire/chat-request.js';
import { ModelScript, type ModelScriptInput, type TurnMatcher } from './script.js';
import { ScriptedAnswers } from './scripted-answers.js';

function scripted(turns: ModelScriptInput['turns']): ScriptedAnswers {
  return new ScriptedAnswers(ModelScript.parse({ turns }));
}

function saying(content: string, more: ChatMessage[] = [], tools?: string[]): ChatRequest {
  return {
    model: 'scripted-1',
    messages: [{ role: 'user', content }, ...more],
    tools: tools?.map((name) => ({ type: 'function', function: { name } })),
  };
}

const called: ChatMessage[] = [
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'c', type: 'function', function: { name: 'notes_add', arguments: '{}' } }],
  },
  { role: 'tool', tool_call_id: 'c', content: 'kept' },
];

describe('a script', () => {
  it('answers with the first turn that applies and is not used up', () => {
    const script = scripted([
      { when: { last_user: 'hi' }, answer: { text: 'first' } },
      { times: 'any', answer: { text: 'else' } },
    ]);
    const said = [saying('hi'), saying('hi'), saying('x')].map((asked) => script.next(asked, 1).answer.text);
    expect(said).toEqual(['first', 'else', 'else']);
  });

  it('fills what it caught into texts and arguments, without breaking their JSON', () => {
    const script = scripted([
      {
        when: { last_user_matches: 'run (\\d+): (.*)' },
        answer: { text: '{{1}}', tool_calls: [{ name: 'notes_add', arguments: { text: ['{{2}}'] } }] },
      },
    ]);
    const { answer } = script.next(saying('run 7: say "hi"'), 3);
    expect(answer.text).toBe('7');
    expect(answer.toolCalls).toEqual([
      { id: 'call_3_0', name: 'notes_add', arguments: '{"text":["say \\"hi\\""]}' },
    ]);
  });

  it.each<[TurnMatcher, string]>([
    [{ step: 1 }, 'a step'],
    [{ result_of: 'notes_add' }, 'a result'],
    [{ last_role: 'tool' }, 'the last role'],
    [{ contains: 'kept' }, 'any text'],
    [{ offers_tool: 'notes_add', offers_no_tool: 'notes_drop' }, 'offered tools'],
  ])('matches %j: %s', (when) => {
    const script = scripted([{ when, answer: { text: '{{last_result}}' } }]);
    expect(() => script.next(saying('go', [], ['notes_drop']), 1)).toThrow(/No turn/);
    expect(script.next(saying('go', called, ['notes_add']), 1).answer.text).toBe('kept');
  });

  it('refuses what no turn is for, in a way that nobody retries', () => {
    const script = scripted([{ answer: {} }]);
    script.next(saying('a'), 1);
    expect(() => script.next(saying('a'), 2)).toThrow(
      expect.objectContaining({ status: 400, facts: { code: 'script_exhausted' } }),
    );
  });
});
