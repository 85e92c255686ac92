import type { ModelScriptInput } from '@switchyard/demo-model';

export type Turn = ModelScriptInput['turns'][number];

/** Asked for `what`, the model calls these tools, and then says what came of the last one. */
export function callsOnce(what: string, calls: readonly { name: string; arguments?: object }[]): Turn[] {
  const tool_calls = calls.map((call) => ({ ...call, arguments: { ...call.arguments } }));
  return [
    { times: 'any', when: { last_user: what, step: 0 }, answer: { tool_calls } },
    { times: 'any', when: { last_user: what, step: 1 }, answer: { text: 'Answer: {{last_result}}' } },
  ];
}
