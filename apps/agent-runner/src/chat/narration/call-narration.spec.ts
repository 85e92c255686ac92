import { describe, expect, it } from '@jest/globals';
import { PlatformError } from '@switchyard/contracts';
import type { WatchedCall } from '../../watch/watched-runs.repository.js';
import { CallNarration, type KnownCall } from './call-narration.js';

const call = (fields: Partial<WatchedCall> = {}): WatchedCall => ({
  ...{ step: 0, position: 0, callId: 'call-1', outwardName: 'up_drop', state: 'ready', outcome: null },
  asked: { id: 'c0', name: 'up_drop', arguments: {} },
  ...{ decidedAt: null, createdAt: new Date(0), approval: null },
  ...fields,
});
const ended = (code?: 'approval_denied' | 'approval_expired' | 'upstream_unreachable') =>
  call({
    state: 'ended',
    decidedAt: new Date(1),
    outcome: code
      ? { status: 'failed', error: new PlatformError(code).toInfo() }
      : { status: 'completed', result: { content: [] } },
  });
const narration = (known?: KnownCall) =>
  new CallNarration({ toolCallId: 'tool-call', tool: undefined, agent: null }, known);
const types = (chunks: { type: string }[]) => chunks.map(({ type }) => type);

describe('a call, as a client is told of it', () => {
  it.each([
    [undefined, ['tool-approval-response', 'tool-output-available'], true],
    ['upstream_unreachable' as const, ['tool-approval-response', 'tool-output-error'], true],
    ['approval_denied' as const, ['tool-approval-response', 'tool-output-denied'], false],
    ['approval_expired' as const, ['tool-approval-response', 'tool-output-denied'], false],
  ])('that waited and ended with %s says who let it go, once', (code, expected, approved) => {
    const told = narration();
    const asked = ['tool-input-available', 'tool-approval-request', 'data-approval_required'];
    expect(types(told.tell(call({ state: 'waiting_approval' })))).toEqual(asked);
    expect(told.tell(call({ state: 'waiting_approval' }))).toEqual([]);
    expect(told.tell(call())).toMatchObject([{ type: 'data-approval_required', data: { state: 'decided' } }]);
    const end = told.tell(ended(code));
    expect(types(end)).toEqual(expected);
    expect(end[0]).toMatchObject({ approvalId: 'call-1', approved });
    expect(told.tell(ended(code))).toEqual([]);
  });

  it('asks anew where a further attempt needs another approval', () => {
    const told = narration({ hasEnded: false, approvalId: 'call-1' });
    const again = call({ callId: 'call-2', state: 'waiting_approval' });
    expect(told.tell(call({ callId: 'call-2', state: 'approval_wanted' }))).toMatchObject([
      { type: 'data-approval_required', data: { state: 'decided' } },
    ]);
    expect(told.tell(again)).toMatchObject([
      { type: 'tool-approval-request', approvalId: 'call-2', toolCallId: 'tool-call' },
      { type: 'data-approval_required', id: 'call-2' },
    ]);
  });

  it('is not repeated to a client that has its end', () => {
    const told = narration({ hasEnded: true, approvalId: null });
    expect(told.tell(ended())).toEqual([]);
  });

  it('outside of the plan has an error, by the name that the model gave it', () => {
    const unknown = call({
      outwardName: null,
      state: 'ended',
      outcome: { status: 'not_made', problem: 'unknown_tool' },
    });
    expect(narration().tell(unknown)).toMatchObject([
      { type: 'tool-input-available', toolName: 'up_drop' },
      { type: 'tool-output-error', errorText: 'The call was not made: unknown_tool.' },
    ]);
  });
});
