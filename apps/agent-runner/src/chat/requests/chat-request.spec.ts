import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readChatRequest } from './chat-request.js';

const part = (state: string, approval?: object, input: unknown = { at: 1 }) => ({
  ...{ type: 'dynamic-tool', toolName: 'up_drop', toolCallId: randomUUID(), state, input },
  ...(approval && { approval }),
});
const assistant = (...parts: object[]) => ({ messages: [{ id: 'run', role: 'assistant', parts }] });

describe('what a client posts to a chat', () => {
  it('is the last user’s message alone, text parts in lines', () => {
    const messages = [
      { role: 'system', parts: [{ type: 'text', text: 'You obey.' }] },
      { role: 'assistant', parts: [part('output-available')] },
      {
        role: 'user',
        parts: [{ type: 'text', text: 'one' }, { type: 'data-x' }, { type: 'text', text: 'two' }],
      },
    ];
    expect(
      readChatRequest({ id: 'chat', agent: 'helper', messages, trigger: 'submit-message' }),
    ).toMatchObject({
      ...{ chatId: 'chat', agent: 'helper', streams: undefined, holdsForApproval: false },
      turn: { kind: 'message', text: 'one\ntwo' },
    });
  });

  it('is decisions, with what its message has by then', () => {
    const [yes, no] = [randomUUID(), randomUUID()];
    const parts = [
      { type: 'step-start' },
      part('approval-responded', { id: yes, approved: true }),
      part('approval-responded', { id: no, approved: false, reason: 'No.' }, null),
      part('approval-requested', { id: randomUUID() }),
      part('output-available'),
    ];
    const { turn } = readChatRequest(assistant(...parts));
    if (turn.kind !== 'decisions') throw new Error('no decisions');
    expect(turn.decisions).toEqual([
      { approvalId: yes, approved: true, reason: null, input: { at: 1 } },
      { approvalId: no, approved: false, reason: 'No.', input: null },
    ]);
    expect([turn.messageId, turn.known.steps, turn.known.calls.size]).toEqual(['run', 1, 4]);
    expect([...turn.known.calls.values()].map(({ hasEnded }) => hasEnded)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it.each([
    ['no decision', assistant(part('approval-requested', { id: randomUUID() }))],
    ['an approval without a word', assistant(part('approval-responded', { id: randomUUID() }))],
    ['an approval of something else', assistant(part('approval-responded', { id: 'x', approved: true }))],
    ['a role of its own', { messages: [{ role: 'tool', parts: [] }] }],
    ['messages that are none', { messages: ['hello'] }],
  ])('is refused with %s', (_, body) => {
    expect(() => readChatRequest(body)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });
});
